#include "eval/baselines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eval/cache_model.h"
#include "eval/split_mix.h"

namespace vsr::eval {

namespace {

// What lock-abiding policies remember of a lineage.
struct LineageState {
  Tier current = kNoTier;
  int turns = 0;  // requests seen
  int switches = 0;
  double value = 0;   // ewma: demand on the x scale
  double regret = 0;  // ski_rental: USD·1e6 lost by staying
};

// Owners serve what they own; the first free request takes the proposal; later ones are asked for.
class LockAbiding : public ServingPolicy {
 public:
  explicit LockAbiding(const Economy& economy) : economy_(economy) {}

  void begin_session() override { lineages_.clear(); }

  Tier serve(const Request& request, Tier owner) final {
    const size_t lineage = static_cast<size_t>(request.lineage);
    if (lineages_.size() <= lineage) lineages_.resize(lineage + 1);
    LineageState& state = lineages_[lineage];
    Tier tier = owner;
    if (tier == kNoTier) {
      tier = state.current == kNoTier ? first(request, state) : next(request, state);
    }
    if (state.current != kNoTier && state.current != tier) state.switches += 1;
    state.current = tier;
    state.turns += 1;
    return tier;
  }

 protected:
  virtual Tier first(const Request& request, LineageState& state) {
    (void)state;
    return request.proposed;
  }
  virtual Tier next(const Request& request, LineageState& state) = 0;

  const Economy& economy_;
  std::vector<LineageState> lineages_;
};

class SingleTurn final : public ServingPolicy {
 public:
  Tier serve(const Request& request, Tier) override { return request.proposed; }
};

class LocksOnly final : public LockAbiding {
 public:
  using LockAbiding::LockAbiding;
  Tier next(const Request& request, LineageState&) override { return request.proposed; }
};

class Sticky final : public LockAbiding {
 public:
  using LockAbiding::LockAbiding;
  Tier next(const Request&, LineageState& state) override { return state.current; }
};

class Always final : public LockAbiding {
 public:
  Always(const Economy& economy, Tier tier) : LockAbiding(economy), tier_(tier) {}
  Tier first(const Request&, LineageState&) override { return tier_; }
  Tier next(const Request&, LineageState&) override { return tier_; }

 private:
  const Tier tier_;
};

class Random final : public LockAbiding {
 public:
  using LockAbiding::LockAbiding;
  Tier next(const Request& request, LineageState& state) override {
    if (request.proposed == state.current) return state.current;
    return random_.unit() < 0.3 ? request.proposed : state.current;
  }

 private:
  SplitMix random_{77};
};

// The policy of the published matrix, acr-full, with its own constants.
class Published final : public LockAbiding {
 public:
  using LockAbiding::LockAbiding;
  Tier next(const Request& request, LineageState& state) override {
    const Tier current = state.current;
    const Tier base = request.proposed;
    if (request.gap >= 300 || base == current) return base;
    const double history = request.length - request.user_tokens;
    const double mass = std::max(std::min(1.0, history / 16'000),
                                 std::min(1.0, std::max(0.0, kPrior - state.turns) / 8));
    const bool frontier = static_cast<size_t>(current) + 1 == economy_.k;
    const double warmth = std::clamp(
        std::max(0.5, std::min(0.72, history / 48'000)) + (frontier ? 0.06 : 0), 0.0, 0.85);
    double largest = 0;
    for (size_t m = 0; m < economy_.k; ++m) largest = std::max(largest, checkout(m));
    const double pressure = largest > 0 ? std::max(checkout(current), checkout(base)) / largest : 0;
    const double bar = 0.05 + 0.20 * mass * warmth * (1 + 1.6 * pressure) +
                       0.04 * std::min(state.switches / 8.0, 1.0);
    return economy_.quality[base] - economy_.quality[current] > bar ? base : current;
  }

 private:
  static constexpr double kPrior = 6;  // turns that a conversation is expected to last
  double checkout(size_t m) const { return economy_.prompt[m] - economy_.cached[m]; }
};

}  // namespace

Result<std::unique_ptr<ServingPolicy>> baseline(std::string_view name, const Economy& economy) {
  using Made = std::unique_ptr<ServingPolicy>;
  if (name == "single_turn") return Made(std::make_unique<SingleTurn>());
  if (name == "locks_only") return Made(std::make_unique<LocksOnly>(economy));
  if (name == "sticky") return Made(std::make_unique<Sticky>(economy));
  if (name == "random_p0.3") return Made(std::make_unique<Random>(economy));
  if (name == "published") return Made(std::make_unique<Published>(economy));
  for (size_t tier = 0; tier < economy.k; ++tier) {
    if (name == fmt::format("always_{}", tier)) {
      return Made(std::make_unique<Always>(economy, static_cast<Tier>(tier)));
    }
  }
  return fail(ErrorCode::kInvalidArgument, fmt::format("there is no policy {}", name));
}

}  // namespace vsr::eval
