#include "config/build.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/strings.h"

namespace vsr::config {

void Build::error(const View& at, std::string message, std::string found, std::string allowed) {
  out.add(Severity::kError, at.position(), at.path(), std::move(message), std::move(found),
          std::move(allowed));
}

void Build::warn(const View& at, std::string message, std::string found, std::string allowed) {
  out.add(Severity::kWarning, at.position(), at.path(), std::move(message), std::move(found),
          std::move(allowed));
}

std::string Build::required(const View& view) {
  const std::string text = view.text().value_or("");
  // A value of another kind has its error already.
  const bool reported = view && view.node()->kind != NodeKind::kScalar;
  if (text.empty() && !reported) error(view, "missing, a text is needed here", "", "a text");
  return text;
}

void Build::unknown(const View& at, std::string_view what, std::string_view name,
                    const std::vector<std::string_view>& known) {
  // A long list helps nobody.
  constexpr size_t kNamesShown = 20;
  const std::string_view close = nearest(name, known);
  std::string message = fmt::format("no {} is named {}", what, quote(name));
  std::string allowed(close);
  if (!close.empty()) {
    message += fmt::format("; did you mean {}?", quote(close));
  } else if (!known.empty() && known.size() <= kNamesShown) {
    allowed = fmt::format("{}", fmt::join(known, ", "));
    message += fmt::format("; there are: {}", allowed);
  }
  error(at, std::move(message), std::string(name), std::move(allowed));
}

ModelId Build::model(const View& at) {
  const std::string name = required(at);
  if (name.empty()) return kNoModel;
  const ModelId id = config.find_model(name);
  if (id == kNoModel) {
    std::vector<std::string_view> known;
    for (const Model& model : config.models) known.push_back(model.name);
    unknown(at, "model", name, known);
  }
  return id;
}

std::string Names::take(Build& build, const View& view) {
  const View at = view["name"];
  std::string name = build.required(at);
  if (name.empty()) return name;
  const auto [earlier, is_new] = lines_.emplace(name, at.position().line);
  if (is_new) return name;
  build.error(at, fmt::format("{} {} is already on line {}", what_, quote(name), earlier->second),
              name, "a name that is not taken");
  return {};
}

Predicate read_predicate(Build& build, const View& view) {
  Predicate bounds;
  read(view["gt"], bounds.gt);
  read(view["gte"], bounds.gte);
  read(view["lt"], bounds.lt);
  read(view["lte"], bounds.lte);
  const double low = std::max(bounds.gt.value_or(-HUGE_VAL), bounds.gte.value_or(-HUGE_VAL));
  const double high = std::min(bounds.lt.value_or(HUGE_VAL), bounds.lte.value_or(HUGE_VAL));
  const bool open = (bounds.gt && *bounds.gt == low) || (bounds.lt && *bounds.lt == high);
  if (low > high || (low == high && open)) {
    build.error(view, fmt::format("no number is above {} and below {}", low, high));
  }
  return bounds;
}

Predicate read_rule_predicate(Build& build, const View& view) {
  if (view && !view["gt"] && !view["gte"] && !view["lt"] && !view["lte"]) {
    build.error(view, "a predicate needs at least one bound: gt, gte, lt or lte", "",
                "gt, gte, lt or lte");
  }
  return read_predicate(build, view);
}

std::vector<std::string_view> signal_names(const Config& config, SignalType type) {
  std::vector<std::string_view> names;
  for (const SignalInfo& signal : config.signals) {
    if (signal.type == type) names.push_back(signal.name);
  }
  return names;
}

}  // namespace vsr::config
