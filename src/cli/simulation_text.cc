#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/plain_text.h"
#include "cli/replay_text.h"

namespace vsr::cli {
namespace {

using json::Value;

std::string text_of(const Value& value) { return plain(value.as_string()); }

std::string changes_text(const Value& changed) {
  std::string out = fmt::format("changed: {} decisions, {} models\n", changed["decision"].as_int(),
                                changed["model"].as_int());
  for (const std::string_view matrix : {"decisions", "models"}) {
    for (const Value& cell : changed[matrix].items()) {
      const std::string from = text_of(cell["from"]);
      const std::string to = text_of(cell["to"]);
      out += fmt::format("  {:>6}  {} -> {}\n", cell["count"].as_int(),
                         from.empty() ? "(none)" : from, to.empty() ? "(none)" : to);
    }
  }
  return out;
}

std::string unpriced_text(const Value& cost) {
  const std::string currency = text_of(cost["currency"]);
  std::string out;
  for (const Value& one : cost["unpriced_models"].items()) {
    const std::string_view why = one["why"].as_string();
    const std::string model = text_of(one["model"]);
    const std::string says =
        why == "refused"         ? std::string("no model would serve")
        : why == "not_in_recipe" ? fmt::format("{} is not in this recipe", model)
        : currency.empty()       ? fmt::format("{} has no price in this recipe", model)
                           : fmt::format("{} has no price in {} in this recipe", model, currency);
    out += fmt::format("  {:>6}  {}\n", one["records"].as_int(), says);
  }
  return out;
}

std::string cost_text(const Value& body) {
  const Value& cost = body["cost"];
  const int64_t priced = cost["records"].as_int();
  const int64_t unpriced = cost["unpriced_records"].as_int();
  if (priced == 0 && unpriced == 0) {
    return body["records"]["replayable"].as_int() == 0
               ? "cost: no record can be decided again, so nothing is compared\n"
               : "cost: none of these records has token counts, so nothing is compared\n";
  }
  if (priced == 0) {
    return fmt::format(
        "cost: none of {} records can be priced on both sides, so nothing is compared:\n{}",
        unpriced, unpriced_text(cost));
  }
  struct Line {
    std::string name;
    const Value& value;
    const Value& interval;
  };
  std::vector<Line> lines = {{"as recorded", cost["before"], cost["before_interval"]},
                             {"under this recipe", cost["after"], cost["after_interval"]},
                             {"difference", cost["difference"], cost["difference_interval"]}};
  for (const Value& one : cost["always_one_model"].items()) {
    lines.push_back({"always " + text_of(one["model"]), one["cost"], one["cost_interval"]});
  }
  size_t width = 0;
  for (const Line& line : lines) width = std::max(width, line.name.size());
  std::string out =
      fmt::format("cost of {} records in {}, with {} % intervals over {} conversations\n", priced,
                  text_of(cost["currency"]), body["intervals"]["percent"].as_int(),
                  body["intervals"]["conversations"].as_int());
  for (const Line& line : lines) {
    out += fmt::format("  {:<{}}  {:>12.6f}  ({:.6f} to {:.6f})\n", line.name, width,
                       line.value.as_double(), line.interval[size_t{0}].as_double(),
                       line.interval[1].as_double());
  }
  if (unpriced > 0) {
    out += fmt::format("left out, {} records that cannot be priced on both sides:\n{}", unpriced,
                       unpriced_text(cost));
  }
  return out;
}

}  // namespace

std::string simulation_text(const Value& body) {
  const Value& records = body["records"];
  std::string out = fmt::format("{} records read, {} match the filter, {} can be decided again\n",
                                records["read"].as_int(), records["matched"].as_int(),
                                records["replayable"].as_int());
  for (const auto& [cause, count] : records["not_replayable_causes"].fields()) {
    out += fmt::format("  {:>6}  {}\n", count.as_int(), cause);
  }
  out += changes_text(body["changed"]);
  for (const auto& [member, name] :
       {std::pair("switches", "switches"), std::pair("unsafe_switches", "unsafe switches")}) {
    out += fmt::format("{}: {} before, {} after\n", name, body[member]["before"].as_int(),
                       body[member]["after"].as_int());
  }
  out += cost_text(body);
  if (!body["cut"].is_null()) out += fmt::format("cut: {}\n", text_of(body["cut"]));
  return out + text_of(body["note"]) + "\n";
}

}  // namespace vsr::cli
