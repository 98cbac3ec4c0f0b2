#include "signals/entity.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/strings.h"

namespace vsr::signals {
namespace {

struct Name {
  std::string_view text;
  EntityType type;
};

// The first name of a type is its canonical one.
constexpr Name kNames[] = {
    {"PERSON", EntityType::kPerson},
    {"ADDRESS", EntityType::kAddress},
    {"EMAIL", EntityType::kEmail},
    {"PHONE", EntityType::kPhone},
    {"CARD", EntityType::kCard},
    {"IBAN", EntityType::kIban},
    {"BANK_ACCOUNT", EntityType::kBankAccount},
    {"IP", EntityType::kIp},
    {"DATE_OF_BIRTH", EntityType::kDateOfBirth},
    {"PASSPORT", EntityType::kPassport},
    {"LICENCE", EntityType::kLicence},
    {"PLATE", EntityType::kPlate},
    {"SSN", EntityType::kSsn},
    {"CN_ID", EntityType::kCnId},
    {"NHS_NUMBER", EntityType::kNhsNumber},
    {"TAX_ID", EntityType::kTaxId},
    {"NATIONAL_ID", EntityType::kNationalId},
    {"MEDICAL_RECORD", EntityType::kMedicalRecord},
    {"API_KEY", EntityType::kApiKey},
    {"ACCESS_TOKEN", EntityType::kAccessToken},
    {"PRIVATE_KEY", EntityType::kPrivateKey},
    {"CONNECTION_STRING", EntityType::kConnectionString},
    {"PASSWORD", EntityType::kPassword},
    {"SECRET", EntityType::kSecret},
    {"NAME", EntityType::kPerson},
    {"STREET_ADDRESS", EntityType::kAddress},
    {"EMAIL_ADDRESS", EntityType::kEmail},
    {"PHONE_NUMBER", EntityType::kPhone},
    {"CREDIT_CARD", EntityType::kCard},
    {"IBAN_CODE", EntityType::kIban},
    {"US_BANK_NUMBER", EntityType::kBankAccount},
    {"IP_ADDRESS", EntityType::kIp},
    {"DOB", EntityType::kDateOfBirth},
    {"US_PASSPORT", EntityType::kPassport},
    {"LICENSE", EntityType::kLicence},
    {"DRIVER_LICENSE", EntityType::kLicence},
    {"DRIVER_LICENCE", EntityType::kLicence},
    {"US_DRIVER_LICENSE", EntityType::kLicence},
    {"LICENSE_PLATE", EntityType::kPlate},
    {"US_SSN", EntityType::kSsn},
    {"UK_NHS", EntityType::kNhsNumber},
    {"US_ITIN", EntityType::kTaxId},
    {"AU_TFN", EntityType::kTaxId},
    {"IN_PAN", EntityType::kTaxId},
    {"AU_MEDICARE", EntityType::kNationalId},
    {"ES_NIF", EntityType::kNationalId},
    {"ES_NIE", EntityType::kNationalId},
    {"FI_PERSONAL_IDENTITY_CODE", EntityType::kNationalId},
    {"IN_AADHAAR", EntityType::kNationalId},
    {"IT_FISCAL_CODE", EntityType::kNationalId},
    {"KR_RRN", EntityType::kNationalId},
    {"PL_PESEL", EntityType::kNationalId},
    {"UK_NINO", EntityType::kNationalId},
    {"TOKEN", EntityType::kAccessToken},
    {"JWT", EntityType::kAccessToken},
};

constexpr std::string_view kForeignNames[] = {
    "AGE",      "AU_ABN",          "AU_ACN", "CRYPTO",       "DATE_TIME", "DOMAIN_NAME", "GPE",
    "LOCATION", "MEDICAL_LICENSE", "NRP",    "ORGANIZATION", "TITLE",     "URL",         "ZIP_CODE",
};

}  // namespace

std::string_view to_string(EntityType type) {
  for (const Name& name : kNames) {
    if (name.type == type) return name.text;
  }
  return "";
}

bool parse_entity_type(std::string_view name, EntityType& out) {
  for (const Name& known : kNames) {
    if (iequals(known.text, name)) {
      out = known.type;
      return true;
    }
  }
  return false;
}

bool is_foreign_entity_type(std::string_view name) {
  return std::ranges::any_of(kForeignNames, [&](std::string_view n) { return iequals(n, name); });
}

std::vector<std::string_view> entity_type_names() {
  std::vector<std::string_view> names(std::begin(kForeignNames), std::end(kForeignNames));
  for (const Name& name : kNames) names.push_back(name.text);
  return names;
}

}  // namespace vsr::signals
