#include "store/record.h"

#include <algorithm>
#include <array>

namespace vsr::store {
namespace {

constexpr std::array<std::string_view, 4> kLifecycleNames = {"running", "completed", "failed",
                                                             "aborted"};

bool in_order(const TextField& field) {
  size_t at = 0;
  for (const auto& span : field.redactions) {
    if (span.start < at || span.end <= span.start) return false;
    if (span.end > field.text.size() && !field.truncated) return false;
    at = span.end;
  }
  return true;
}

bool is_certain(const TextField& field, bool redact) {
  const bool has_spans = !field.redactions.empty();
  if (!redact && !has_spans) return true;
  if (field.scan == Scan::kNone && !has_spans) return false;
  if (field.scan != Scan::kWhole && field.truncated) return false;
  return in_order(field);
}

}  // namespace

std::string_view to_string(Lifecycle state) { return kLifecycleNames[static_cast<size_t>(state)]; }

std::optional<Lifecycle> parse_lifecycle(std::string_view name) {
  const auto at = std::ranges::find(kLifecycleNames, name);
  if (at == kLifecycleNames.end()) return std::nullopt;
  return static_cast<Lifecycle>(at - kLifecycleNames.begin());
}

std::optional<std::string> stored_text(const TextField& field, bool redact) {
  if (field.text.empty()) return std::nullopt;
  if (!is_certain(field, redact)) return std::string(kWithheld);
  std::string out;
  out.reserve(field.text.size());
  size_t at = 0;
  for (const auto& span : field.redactions) {
    if (span.start >= field.text.size()) break;
    out.append(field.text, at, span.start - at);
    out.append("[").append(span.type).append("]");
    at = std::min<size_t>(span.end, field.text.size());
  }
  return out.append(field.text, at);
}

}  // namespace vsr::store
