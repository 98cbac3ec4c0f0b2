#pragma once

// What the recognisers find in a text: a type, a span and how sure they are. Every type is either a
// secret (a credential) or personal data; the two are read from different texts (input.h). Values;
// pure.

#include <cstdint>
#include <string_view>
#include <vector>

namespace vsr::signals {

enum class EntityType : uint8_t {
  // Personal data.
  kPerson,
  kAddress,
  kEmail,
  kPhone,
  kCard,
  kIban,
  kBankAccount,
  kIp,
  kDateOfBirth,
  kPassport,
  kLicence,
  kPlate,
  kSsn,
  kCnId,
  kNhsNumber,
  kTaxId,
  kNationalId,  // of another country, or of a kind without a type of its own
  kMedicalRecord,
  // Secrets.
  kApiKey,
  kAccessToken,  // JWT, bearer and basic credentials, signed URLs
  kPrivateKey,
  kConnectionString,
  kPassword,
  kSecret,  // a high-entropy value next to a secret word
};
constexpr size_t kEntityTypes = static_cast<size_t>(EntityType::kSecret) + 1;

constexpr bool is_secret(EntityType type) { return type >= EntityType::kApiKey; }

// "PERSON", "ADDRESS", "EMAIL", …
std::string_view to_string(EntityType type);
// Also the long names that other tools use ("EMAIL_ADDRESS", "US_SSN", "CREDIT_CARD"), in any case.
// False for names of types that are not recognised here.
bool parse_entity_type(std::string_view name, EntityType& out);
// Types that other tools find and nothing here does: to allow them changes nothing.
bool is_foreign_entity_type(std::string_view name);
// Every name that one of the two knows.
std::vector<std::string_view> entity_type_names();

struct Entity {
  EntityType type = EntityType::kPerson;
  uint32_t start = 0;  // bytes in the text it was found in
  uint32_t end = 0;    // exclusive
  float confidence = 0;
  bool operator==(const Entity&) const = default;
};

}  // namespace vsr::signals
