#include "eval/learning_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "eval/learning_output.h"

namespace vsr::eval {

namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Evaluation of learning</title><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;
color:#1c2430;background:#fff}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
td,th{padding:2px 8px;text-align:right;border-bottom:1px solid #e3e7ec}
td{white-space:nowrap}td:first-child,th:first-child{text-align:left}
.best{font-weight:700;background:#dff3e4}.scroll{overflow-x:auto}
th.tall{writing-mode:vertical-rl;transform:rotate(180deg);text-align:left;padding:6px 2px}
svg{display:block;margin:.5em 0}svg text{font:11px system-ui,sans-serif;fill:#1c2430}
details{border-top:1px solid #e3e7ec;padding:.4em 0}summary{cursor:pointer;font-weight:600}
</style></head><body><h1>Evaluation of learning</h1>
)";

std::string colour(std::string_view policy) {
  if (policy == "ours:ladder") return "#0b7a4b";
  if (is_ours(policy)) return "#3fae7e";
  if (is_constant(policy)) return "#4a6fd0";
  return "#c2703d";
}

// A value's place between two bounds, on a logarithmic axis if both are positive.
struct Axis {
  double low, high;
  int from, to;  // pixels
  bool logarithmic;

  double place(double value) const {
    const auto on = [this](double v) { return logarithmic ? std::log10(v) : v; };
    const double span = on(high) - on(low);
    return span > 0 ? from + (to - from) * (on(value) - on(low)) / span : (from + to) / 2.0;
  }
};

constexpr int kWidth = 760;
constexpr int kHeight = 340;
constexpr int kLabelWidth = 100;
constexpr int kLabelHeight = 12;

std::string frame(const Axis& x, const Axis& y, std::string_view y_title) {
  std::string out = fmt::format(
      "<svg viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\">"
      "<path d=\"M{2} {3}V{4}H{5}\" fill=\"none\" stroke=\"#8a94a3\"/>",
      kWidth, kHeight, x.from, y.to, y.from, x.to);
  constexpr int kTicks = 4;
  for (int i = 0; i <= kTicks; ++i) {
    const double share = static_cast<double>(i) / kTicks;
    const double cost =
        x.logarithmic ? x.low * std::pow(x.high / x.low, share) : x.low + (x.high - x.low) * share;
    const double value = y.low + (y.high - y.low) * share;
    out += fmt::format("<text x=\"{:.0f}\" y=\"{}\" text-anchor=\"middle\">{:.{}f}</text>",
                       x.place(cost), y.from + 16, cost, cost < 10 ? 2 : 0);
    out += fmt::format("<text x=\"{}\" y=\"{:.0f}\" text-anchor=\"end\">{:.1f}</text>", x.from - 6,
                       y.place(value) + 4, value);
  }
  out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">cost, USD</text>", x.to,
                     y.from + 32);
  out += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>", x.from - 40, y.to - 8, y_title);
  return out;
}

template <typename T, typename Value>
std::pair<double, double> bounds(const std::vector<T>& items, Value value) {
  double low = value(items.front());
  double high = low;
  for (const T& item : items) {
    low = std::min(low, value(item));
    high = std::max(high, value(item));
  }
  return {low, high};
}

std::string scatter(const std::vector<Row>& cell) {
  const auto [cheap, dear] = bounds(cell, [](const Row& row) { return row.cost; });
  const auto [low, high] = bounds(cell, [](const Row& row) { return 100 * row.round_success; });
  const Axis x{cheap, dear, 60, kWidth - 130, cheap > 0};
  const Axis y{low, high, kHeight - 50, 24, false};
  std::string out = frame(x, y, "rounds that succeed, %");
  std::vector<const Row*> highest_first;
  for (const Row& row : cell) highest_first.push_back(&row);
  std::ranges::stable_sort(highest_first, std::greater(), &Row::round_success);
  std::vector<std::pair<double, double>> labels;  // where they begin
  for (const Row* row : highest_first) {
    const double px = x.place(row->cost);
    const double py = y.place(100 * row->round_success);
    double label = py + 4;
    for (const auto& [other_x, other_y] : labels) {
      if (std::abs(other_x - px) < kLabelWidth && label - other_y < kLabelHeight) {
        label = std::max(label, other_y + kLabelHeight);
      }
    }
    labels.emplace_back(px, label);
    out += fmt::format("<path d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\" stroke=\"#b4bcc8\"/>", px, py,
                       px + 6, label - 4);
    out += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\"/>", px, py,
                       colour(row->policy));
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", px + 7, label, row->policy);
  }
  return out + "</svg>";
}

struct Part {
  std::string_view fill;
  double (*value)(const Row& row);
};

// One bar a policy, made of parts, with their sum at its end.
std::string bars(const std::vector<Row>& cell, const std::vector<Part>& parts) {
  constexpr int kLeft = 170;
  constexpr int kLine = 18;
  const auto sum = [&](const Row& row) {
    double out = 0;
    for (const Part& part : parts) out += part.value(row);
    return out;
  };
  const double most = std::max(bounds(cell, sum).second, 1e-9);
  const int height = static_cast<int>(cell.size()) * kLine + 4;
  std::string out = fmt::format(
      "<svg viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\">", kWidth, height);
  for (size_t i = 0; i < cell.size(); ++i) {
    const int y = static_cast<int>(i) * kLine;
    out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>", kLeft - 6, y + 13,
                       cell[i].policy);
    double x = kLeft;
    for (const Part& part : parts) {
      const double width = (kWidth - kLeft - 70) * part.value(cell[i]) / most;
      out += fmt::format("<rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"13\" fill=\"{}\"/>",
                         x, y + 2, width, part.fill);
      x += width;
    }
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\">{:.1f}</text>", x + 5, y + 13, sum(cell[i]));
  }
  return out + "</svg>";
}

std::string money(const std::vector<Row>& cell) {
  return "<p><span style=\"color:#2c6fbb\">■</span> first calls of rounds "
         "<span style=\"color:#8fbce6\">■</span> later calls "
         "<span style=\"color:#d9534f\">■</span> λ × failures, USD</p>" +
         bars(cell, {{"#2c6fbb", [](const Row& row) { return row.first_call_cost; }},
                     {"#8fbce6", [](const Row& row) { return row.cost - row.first_call_cost; }},
                     {"#d9534f", [](const Row& row) { return row.objective - row.cost; }}});
}

std::string switches(const std::vector<Row>& cell) {
  return bars(cell, {{"#7a6bb5", [](const Row& row) { return row.switches_per_100; }}});
}

std::string figures(const std::vector<Row>& cell) {
  std::string out =
      "<div class=\"scroll\"><table><tr><th>policy<th>cost, USD<th>failed<th>J<th>regret, %"
      "<th>95 % interval<th>violations<th>switches per 100<th>under, %<th>over, %"
      "<th>prefill p95, s<th>tasks that succeed, %</tr>";
  const double best = bounds(cell, [](const Row& row) { return row.objective; }).first;
  for (const Row& row : cell) {
    out += fmt::format("<tr{}><td>{}<td>{:.2f}<td>{:.1f}<td>{:.2f}",
                       row.objective == best ? " class=\"best\"" : "", row.policy, row.cost,
                       row.failed, row.objective);
    out += row.regret_pct ? fmt::format("<td>{:.1f}<td>{:.1f} … {:.1f}", *row.regret_pct,
                                        row.regret_ci95[0], row.regret_ci95[1])
                          : "<td>–<td>–";
    out += fmt::format("<td>{}<td>{:.2f}<td>{:.1f}<td>{:.1f}<td>{:.2f}<td>{:.1f}</tr>",
                       row.violations, row.switches_per_100, row.under_pct, row.over_pct,
                       row.prefill_p95_s, 100 * row.task_success);
  }
  return out + "</table></div>";
}

std::string regret_table(const std::vector<std::vector<Row>>& cells) {
  std::vector<std::string> policies;
  for (const auto& cell : cells) {
    for (const Row& row : cell) {
      if (std::ranges::find(policies, row.policy) == policies.end()) policies.push_back(row.policy);
    }
  }
  std::string out =
      "<h2>Regret by cell</h2><p>How much more than the clairvoyant optimum, in %.</p>"
      "<div class=\"scroll\"><table><tr><th>cell";
  for (const std::string& policy : policies) out += fmt::format("<th class=\"tall\">{}", policy);
  out += "</tr>";
  for (const auto& cell : cells) {
    out += fmt::format("<tr><td>{}", title_of(cell.front().cell));
    const double best = bounds(cell, [](const Row& row) { return row.objective; }).first;
    for (const std::string& policy : policies) {
      const auto row = std::ranges::find(cell, policy, &Row::policy);
      if (row == cell.end() || !row->regret_pct) {
        out += "<td>";
      } else {
        out += fmt::format("<td{}>{:.0f}", row->objective == best ? " class=\"best\"" : "",
                           *row->regret_pct);
      }
    }
    out += "</tr>";
  }
  return out + "</table></div>";
}

std::string curve(const Frontier& frontier) {
  auto points = frontier.points;
  points.push_back({0, frontier.baseline_cost, frontier.baseline_success});
  const auto [cheap, dear] = bounds(points, [](const FrontierPoint& p) { return p.cost; });
  const auto [low, high] = bounds(points, [](const FrontierPoint& p) { return 100 * p.success; });
  const Axis x{cheap, dear, 60, kWidth - 130, cheap > 0};
  const Axis y{low, high, kHeight - 50, 24, false};
  std::string out = frame(x, y, "rounds that succeed, %");
  std::string line;
  for (const FrontierPoint& point : frontier.points) {
    line += fmt::format("{:.1f},{:.1f} ", x.place(point.cost), y.place(100 * point.success));
  }
  out += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>",
                     line, colour(frontier.policy));
  const double px = x.place(frontier.baseline_cost);
  const double py = y.place(100 * frontier.baseline_success);
  out += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" fill=\"{}\"/>", px, py,
                     colour(frontier.baseline));
  out +=
      fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", px + 8, py + 4, frontier.baseline);
  return out + "</svg>";
}

}  // namespace

std::string report_page(const std::vector<Row>& rows) {
  const auto cells = by_cell(rows);
  std::string out(kHead);
  out +=
      "<p>Every policy serves the same requests under the same prefix cache, prices and law of "
      "success. J is the cost plus λ for every failed round; the optimum knows the future.</p>";
  if (cells.size() > 1) out += regret_table(cells);
  for (const auto& cell : cells) {
    out += fmt::format("<details{}><summary>{}; {} sessions</summary>{}",
                       cells.size() == 1 ? " open" : "", title_of(cell.front().cell),
                       cell.front().sessions, figures(cell));
    out += "<h3>Cost against success</h3>" + scatter(cell);
    out += "<h3>Where the money went</h3>" + money(cell);
    out += "<h3>Switches per 100 requests</h3>" + switches(cell) + "</details>";
  }
  return out + "</body></html>\n";
}

std::string report_page(const std::vector<Frontier>& frontiers) {
  std::string out(kHead);
  out += "<p>Cost and success of learning while λ goes from .003 to 75 USD, beside a baseline.</p>";
  for (const Frontier& frontier : frontiers) {
    const auto saving = frontier.saving_pct();
    out += fmt::format("<h2>{}/{}: {}</h2>", frontier.cell.profile, frontier.cell.prices,
                       frontier.policy);
    if (saving) {
      out += fmt::format("<p>{:.1f} % cheaper than {} at equal success.</p>", *saving,
                         frontier.baseline);
    }
    out += curve(frontier);
  }
  return out + "</body></html>\n";
}

}  // namespace vsr::eval
