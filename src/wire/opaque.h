#pragma once

// Opaque items: pieces of a conversation that only the provider which made them can read, so their
// presence ties a request to that provider. They are known by kind and by a hash of their decisive
// string (unescaped), which is the same when a response carries one and when a later request
// sends it back. Values.

#include <cstdint>
#include <string_view>

namespace vsr::wire {

enum class OpaqueKind : uint8_t {
  kPreviousResponseId,
  kConversation,
  kItemReference,
  kThinking,  // Anthropic thinking with a signature, redacted_thinking
  kThoughtSignature,
  kEncryptedContent,
  kServerTool,
  kFile,
};
constexpr size_t kOpaqueKindCount = 8;
// The <why> of hard_lock=context_portability:<why>.
std::string_view to_string(OpaqueKind kind);

struct OpaqueItem {
  OpaqueKind kind = OpaqueKind::kThinking;
  uint64_t hash = 0;
  bool operator==(const OpaqueItem&) const = default;
};

// The most items that are noted of one message or answer; further ones are not.
constexpr size_t kOpaqueItemsMax = 256;

}  // namespace vsr::wire
