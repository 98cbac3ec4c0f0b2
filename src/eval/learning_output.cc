#include "eval/learning_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "json/writer.h"

namespace vsr::eval {

namespace {

std::string_view name_of(Suite suite) {
  switch (suite) {
    case Suite::kAgentMix:
      return "agentmix";
    case Suite::kFlap:
      return "flap";
    case Suite::kMatrix:
      return "matrix";
    case Suite::kClosedLoop:
      return "closed-loop";
  }
  return "";
}

void write_cell(json::JsonWriter& w, const Cell& cell) {
  w.field("suite", name_of(cell.suite));
  w.field("profile", cell.profile);
  w.field("prices", cell.prices);
}

struct Column {
  std::string_view title;
  int decimals;
  double (*value)(const Row& row);
};
constexpr std::string_view kRegret = "regret %";
constexpr Column kColumns[] = {
    {"cost USD", 2, [](const Row& r) { return r.cost; }},
    {"failed", 1, [](const Row& r) { return r.failed; }},
    {"J", 2, [](const Row& r) { return r.objective; }},
    {kRegret, 1, [](const Row& r) { return r.regret_pct.value_or(0); }},
    {"violations", 0, [](const Row& r) { return static_cast<double>(r.violations); }},
    {"sw/100", 2, [](const Row& r) { return r.switches_per_100; }},
    {"under %", 1, [](const Row& r) { return r.under_pct; }},
    {"over %", 1, [](const Row& r) { return r.over_pct; }},
    {"p95 s", 2, [](const Row& r) { return r.prefill_p95_s; }},
    {"task err %", 1, [](const Row& r) { return 100 * (1 - r.task_success); }},
};
constexpr int kNameWidth = 24;
constexpr int kWidth = 11;

const Row* lowest(const std::vector<Row>& rows, const std::function<bool(const Row&)>& counts) {
  const Row* best = nullptr;
  for (const Row& row : rows) {
    if (counts(row) && (best == nullptr || row.objective < best->objective)) best = &row;
  }
  return best;
}

std::string optional_percent(const std::optional<double>& value) {
  return value ? fmt::format("{:.1f}", *value) : "–";
}

}  // namespace

std::string to_json(const Row& row) {
  json::JsonWriter w;
  w.begin_object();
  write_cell(w, row.cell);
  w.field("lambda", row.cell.lambda);
  w.field("policy", row.policy);
  w.field("sessions", row.sessions);
  w.field("requests", row.requests);
  w.field("cost_usd", row.cost);
  w.field("first_call_cost_usd", row.first_call_cost);
  w.field("failed", row.failed);
  if (row.attempts) w.field("attempts", *row.attempts);
  w.field("violations", row.violations);
  w.field("switches", row.switches);
  w.field("switches_per_100", row.switches_per_100);
  w.field("under_pct", row.under_pct);
  w.field("over_pct", row.over_pct);
  w.field("prefill_p95_s", row.prefill_p95_s);
  w.field("round_success", row.round_success);
  w.field("task_success", row.task_success);
  w.field("j", row.objective);
  if (row.optimum) {
    w.field("oracle_j", *row.optimum);
    w.field("regret_pct", *row.regret_pct);
    w.key("regret_ci95").begin_array();
    w.value(row.regret_ci95[0]).value(row.regret_ci95[1]);
    w.end_array();
  } else {
    w.null_field("oracle_j").null_field("regret_pct").null_field("regret_ci95");
  }
  w.end_object();
  return w.take();
}

std::string to_json(const Frontier& frontier) {
  json::JsonWriter w;
  w.begin_object();
  write_cell(w, frontier.cell);
  w.field("policy", frontier.policy);
  w.field("baseline", frontier.baseline);
  w.field("baseline_cost_usd", frontier.baseline_cost);
  w.field("baseline_round_success", frontier.baseline_success);
  if (frontier.cost) {
    w.field("cost_usd", *frontier.cost);
  } else {
    w.null_field("cost_usd");
  }
  if (const auto saving = frontier.saving_pct()) {
    w.field("saving_pct", *saving);
  } else {
    w.null_field("saving_pct");
  }
  w.key("points").begin_array();
  for (const FrontierPoint& point : frontier.points) {
    w.begin_object();
    w.field("lambda", point.lambda);
    w.field("cost_usd", point.cost);
    w.field("round_success", point.success);
    w.end_object();
  }
  w.end_array();
  w.end_object();
  return w.take();
}

std::string title_of(const Cell& cell) {
  return fmt::format("{}{}/{}, λ = {} USD", cell.suite == Suite::kClosedLoop ? "closed loop, " : "",
                     cell.profile, cell.prices, cell.lambda);
}

std::vector<std::vector<Row>> by_cell(const std::vector<Row>& rows) {
  std::vector<std::vector<Row>> out;
  for (const Row& row : rows) {
    const auto same = [&](const Cell& a) {
      return a.suite == row.cell.suite && a.profile == row.cell.profile &&
             a.prices == row.cell.prices && a.lambda == row.cell.lambda;
    };
    if (out.empty() || !same(out.back().front().cell)) out.emplace_back();
    out.back().push_back(row);
  }
  return out;
}

const Row* best_constant(const std::vector<Row>& rows) {
  return lowest(rows, [](const Row& row) { return is_constant(row.policy); });
}

const Row* best_baseline(const std::vector<Row>& rows) {
  return lowest(rows,
                [](const Row& row) { return !is_constant(row.policy) && !is_ours(row.policy); });
}

std::string cell_tables(const std::vector<Row>& rows) {
  std::string out;
  for (const std::vector<Row>& cell : by_cell(rows)) {
    const Row& first = cell.front();
    out += fmt::format("{}; {} sessions", title_of(first.cell), first.sessions);
    if (first.optimum) out += fmt::format(", optimum J {:.2f}", *first.optimum);
    out += fmt::format("\n{:<{}}", "", kNameWidth);
    for (const Column& column : kColumns) {
      if (first.optimum || column.title != kRegret) {
        out += fmt::format("{:>{}}", column.title, kWidth);
      }
    }
    out += first.optimum ? "  95 % interval\n" : "   attempts\n";
    for (const Row& row : cell) {
      out += fmt::format("{:<{}}", row.policy, kNameWidth);
      for (const Column& column : kColumns) {
        if (!row.optimum && column.title == kRegret) continue;
        const double value = column.value(row);
        const bool best = std::ranges::all_of(
            cell, [&](const Row& other) { return column.value(other) >= value; });
        out += fmt::format("{:>{}}", fmt::format("{:.{}f}", value, column.decimals), kWidth - 1);
        out += best ? '*' : ' ';
      }
      out += row.attempts
                 ? fmt::format(" {:>9}\n", *row.attempts)
                 : fmt::format("  {:.1f} … {:.1f}\n", row.regret_ci95[0], row.regret_ci95[1]);
    }
    out += "* best of its column\n\n";
  }
  return out;
}

std::string grid_table(const std::vector<Row>& rows) {
  const auto cells = by_cell(rows);
  if (cells.empty()) return "";
  std::vector<std::string> ours;
  for (const Row& row : cells.front()) {
    if (is_ours(row.policy)) ours.push_back(row.policy);
  }
  std::string out = fmt::format("regret %, against the optimum of each cell\n{:<22}{:>6}", "", "λ");
  for (const std::string& name : ours) {
    out += fmt::format("{:>{}}", name.substr(5),
                       static_cast<int>(std::max<size_t>(name.size() - 3, 9)));
  }
  out += fmt::format("  {:<18}{:<22}\n", "best constant", "best other baseline");
  std::vector<double> sums(ours.size(), 0);
  size_t counted = 0;
  for (const std::vector<Row>& cell : cells) {
    const Cell& which = cell.front().cell;
    out += fmt::format("{:<22}{:>6}", which.profile + "/" + which.prices, which.lambda);
    for (size_t i = 0; i < ours.size(); ++i) {
      const auto row = std::ranges::find(cell, ours[i], &Row::policy);
      const int width = static_cast<int>(std::max<size_t>(ours[i].size() - 3, 9));
      if (row == cell.end()) continue;
      out += fmt::format("{:>{}.1f}", row->regret_pct.value_or(0), width);
      if (which.suite == Suite::kAgentMix) sums[i] += row->regret_pct.value_or(0);
    }
    counted += which.suite == Suite::kAgentMix;
    for (const Row* row : {best_constant(cell), best_baseline(cell)}) {
      if (row == nullptr) continue;
      out += fmt::format("  {:>6.1f} {:<12}", row->regret_pct.value_or(0), row->policy);
    }
    out += '\n';
  }
  if (counted == 0) return out;
  out += fmt::format("{:<28}", fmt::format("mean of AgentMix ({})", counted));
  for (size_t i = 0; i < ours.size(); ++i) {
    out += fmt::format("{:>{}.1f}", sums[i] / static_cast<double>(counted),
                       static_cast<int>(std::max<size_t>(ours[i].size() - 3, 9)));
  }
  return out + '\n';
}

std::string frontier_table(const std::vector<Frontier>& frontiers) {
  std::string out =
      fmt::format("cost at equal success of rounds\n{:<22}{:<26}{:<14}{:>10}{:>12}{:>10}{:>10}\n",
                  "", "policy", "against", "success %", "its USD", "ours USD", "saving %");
  for (const Frontier& f : frontiers) {
    out += fmt::format(
        "{:<22}{:<26}{:<14}{:>10.2f}{:>12.2f}{:>10}{:>10}\n", f.cell.profile + "/" + f.cell.prices,
        f.policy, f.baseline, 100 * f.baseline_success, f.baseline_cost,
        f.cost ? fmt::format("{:.2f}", *f.cost) : "–", optional_percent(f.saving_pct()));
  }
  return out;
}

}  // namespace vsr::eval
