#include "eval/oracle.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "base/check.h"
#include "eval/cache_model.h"
#include "eval/simulate.h"

namespace vsr::eval {

namespace {

struct Label {
  Tier last = kNoTier;
  double objective = 0;
  std::array<CacheEntry, kTiersMax> entries{};
};

// A request with private text, or all calls of a round: one choice of a tier at most.
using Unit = std::span<const Request* const>;

class LineageProgramme {
 public:
  LineageProgramme(const Economy& economy, double lambda, std::span<const Request* const> requests)
      : economy_(economy), lambda_(lambda), requests_(requests) {}

  double run() {
    labels_.assign(1, Label{});
    for (size_t at = 0; at < requests_.size();) {
      size_t end = at + 1;
      while (end < requests_.size() && same_unit(*requests_[at], *requests_[end])) ++end;
      const Unit unit = requests_.subspan(at, end - at);
      if (unit.front()->private_text) {
        serve_private(*unit.front());
      } else {
        serve_round(unit);
      }
      at = end;
      if (at < requests_.size()) prune(*requests_[at]);
    }
    double best = labels_.front().objective;
    for (const Label& label : labels_) best = std::min(best, label.objective);
    return best;
  }

 private:
  static bool same_unit(const Request& first, const Request& next) {
    return !first.private_text && !next.private_text && first.round == next.round && next.owned();
  }

  void serve_private(const Request& request) {
    for (Label& label : labels_) {
      const int32_t hit = cached_tokens(economy_, label.entries[kPrivateTier], request);
      label.objective += request_cost(economy_, request, kPrivateTier, hit);
      label.entries[kPrivateTier] = entry_after(request);
    }
  }

  // USD of a unit's calls after the first, which find what the call before them left.
  double later_cost(Unit unit, Tier tier) const {
    double cost = 0;
    for (size_t i = 1; i < unit.size(); ++i) {
      const int32_t hit = cached_tokens(economy_, entry_after(*unit[i - 1]), *unit[i]);
      cost += request_cost(economy_, *unit[i], tier, hit);
    }
    return cost;
  }

  double mean_success(Unit unit, Tier tier) const {
    double total = 0;
    for (const Request* request : unit) total += economy_.success(tier, request->need);
    return total / static_cast<double>(unit.size());
  }

  void serve_round(Unit unit) {
    const Request& first = *unit.front();
    std::vector<Label> out;
    for (size_t m = 0; m < economy_.k; ++m) {
      const Tier tier = static_cast<Tier>(m);
      const double later = later_cost(unit, tier);
      const double success = mean_success(unit, tier);
      for (const Label& label : labels_) {
        if (first.owned() && label.last != kNoTier && label.last != tier) continue;
        Label& next = out.emplace_back(label);
        const int32_t hit = cached_tokens(economy_, label.entries[m], first);
        next.objective += request_cost(economy_, first, tier, hit) + later;
        if (!first.auxiliary) {
          const bool handed_over = label.last != kNoTier && label.last != tier &&
                                   last_task_ == first.task && first.lineage == 0;
          const double p = std::max(0.0, success - (handed_over ? kHandoffLoss : 0));
          next.objective += lambda_ * first.weight * (1 - p);
        }
        next.entries[m] = entry_after(*unit.back());
        next.last = tier;
      }
    }
    labels_ = std::move(out);
    last_task_ = first.task;
  }

  // The most tokens that the entry can save from `next` on.
  int32_t usable(const CacheEntry& entry, const Request& next) const {
    Request longest = next;
    longest.length = entry.tokens;
    return cached_tokens(economy_, entry, longest);
  }

  // Drops labels that cannot win. Whatever B does from here, A can do too, and pays at most what
  // its entries hold less, once per tier: after that both hold the same.
  void prune(const Request& next) {
    std::stable_sort(labels_.begin(), labels_.end(),
                     [](const Label& a, const Label& b) { return a.objective < b.objective; });
    std::vector<Label> kept;
    for (Label& label : labels_) {
      std::array<int32_t, kTiersMax> mine{};
      for (size_t m = 0; m < economy_.k; ++m) {
        mine[m] = usable(label.entries[m], next);
        if (mine[m] == 0) label.entries[m] = {};
      }
      const bool loses = std::ranges::any_of(kept, [&](const Label& other) {
        return other.last == label.last && dominates(other, label, mine, next);
      });
      if (!loses) kept.push_back(label);
    }
    labels_ = std::move(kept);
  }

  bool dominates(const Label& a, const Label& b, const std::array<int32_t, kTiersMax>& usable_b,
                 const Request& next) const {
    double objective = a.objective;
    for (size_t m = 0; m < economy_.k; ++m) {
      if (usable_b[m] == 0) continue;
      const int32_t usable_a = a.entries[m].t < b.entries[m].t ? 0 : usable(a.entries[m], next);
      objective +=
          std::max(0, usable_b[m] - usable_a) * (economy_.write[m] - economy_.cached[m]) / 1e6;
      if (objective > b.objective) return false;
    }
    return objective <= b.objective;
  }

  const Economy& economy_;
  const double lambda_;
  const std::span<const Request* const> requests_;
  std::vector<Label> labels_;
  int32_t last_task_ = -1;
};

}  // namespace

double oracle_objective(const Economy& economy, const Session& session, double lambda) {
  std::vector<std::vector<const Request*>> by_lineage(session.lineages);
  for (const Request& request : session.requests) {
    by_lineage[request.lineage].push_back(&request);
  }
  double total = 0;
  for (const auto& requests : by_lineage) {
    if (!requests.empty()) total += LineageProgramme(economy, lambda, requests).run();
  }
  return total;
}

}  // namespace vsr::eval
