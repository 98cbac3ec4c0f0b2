// Rules about what a request says beside its messages: its metadata, its headers, who sends it.

#include <charconv>
#include <optional>

#include "base/strings.h"
#include "signals/evaluation.h"

namespace vsr::signals {

using config::SignalId;

namespace {

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

// The entry of `list` that is `text`; null if there is none.
const std::string* find_in(const std::vector<std::string>& list, std::string_view text,
                           bool case_sensitive) {
  for (const std::string& one : list) {
    if (case_sensitive ? one == text : iequals(one, text)) return &one;
  }
  return nullptr;
}

}  // namespace

// Without a value where it is absent.
std::string_view Evaluation::attribute(bool header, std::string_view name) const {
  if (header) return input_.header == nullptr ? std::string_view() : (*input_.header)(name);
  for (const Attribute& one : input_.metadata) {
    if (one.name == name) return one.value;
  }
  return {};
}

void Evaluation::metadata(SignalId id, const config::MetadataRule& rule) {
  const std::string_view value = attribute(rule.header, rule.key);
  bool matched = !value.empty();
  if (matched && !rule.values.empty()) {
    const std::string* const found = find_in(rule.values, value, rule.case_sensitive);
    matched = found != nullptr;
    if (matched) values_.evidence.push_back({id, *found});
  }
  const std::optional<double> number = number_in(value);
  const config::Predicate& bounds = rule.predicate;
  if (bounds.gt || bounds.gte || bounds.lt || bounds.lte) {
    matched = matched && number && bounds.holds(*number);
  }
  set(id, matched, 1, number.value_or(value.empty() ? 0 : 1));
}

// An event is in the metadata, or in headers where a webhook cannot change the body.
void Evaluation::event(SignalId id, const config::EventRule& rule) {
  const auto field = [&](std::string_view name, std::string_view header) {
    const std::string_view value = attribute(false, name);
    return value.empty() ? attribute(true, header) : value;
  };
  const std::string_view type = field("event_type", "x-event-type");
  bool matched = !type.empty();
  const auto needs = [&](const std::vector<std::string>& list, std::string_view value) {
    if (list.empty()) return;
    const std::string* const found = find_in(list, value, false);
    matched = matched && found != nullptr;
    if (found != nullptr) values_.evidence.push_back({id, *found});
  };
  needs(rule.event_types, type);
  needs(rule.severities, field("event_severity", "x-event-severity"));
  needs(rule.action_codes, field("event_action", "x-event-action"));
  if (rule.temporal) matched = matched && !field("event_time", "x-event-time").empty();
  set(id, matched, 1, type.empty() ? 0 : 1);
}

void Evaluation::role(SignalId id, const config::RoleRule& rule) {
  const config::AuthzConfig& authz = c_.config->authz;
  const auto has = [&](const std::vector<std::string>& list, std::string_view name) {
    const std::string* const found = name.empty() ? nullptr : find_in(list, name, true);
    if (found != nullptr) values_.evidence.push_back({id, *found});
    return found != nullptr;
  };
  bool matched = has(rule.users, input_.api_key_name) ||
                 has(rule.users, attribute(true, authz.user_id_header));
  if (!matched) {
    for (const std::string_view group : split(attribute(true, authz.user_groups_header), ',')) {
      if (has(rule.groups, trim(group))) {
        matched = true;
        break;
      }
    }
  }
  set(id, matched, 1, matched ? 1 : 0);
}

}  // namespace vsr::signals
