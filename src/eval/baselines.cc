#include "eval/baselines.h"

#include <fmt/format.h>

#include "eval/adaptive_baselines.h"
#include "eval/lock_abiding.h"
#include "eval/published_policies.h"

namespace vsr::eval {

namespace {

using Made = std::unique_ptr<ServingPolicy>;

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

template <typename P>
Made make(const Economy& economy) {
  return std::make_unique<P>(economy);
}

struct Named {
  std::string_view name;
  Made (*make)(const Economy& economy);
};
constexpr Named kNamed[] = {
    {"single_turn", [](const Economy&) -> Made { return std::make_unique<SingleTurn>(); }},
    {"locks_only", make<LocksOnly>},
    {"sticky", make<Sticky>},
    {"random_p0.3", make<RandomAcceptance>},
    {"published", make<Published>},
    {"shipped_june", make<ShippedJune>},
    {"ev_gate", make<ExpectedValueGate>},
    {"budget_cap", make<BudgetCap>},
    {"ewma", make<Smoothed>},
    {"ski_rental", make<SkiRental>},
    {"cascade", make<Cascade>},
};

}  // namespace

Result<Made> baseline(std::string_view name, const Economy& economy) {
  for (const Named& named : kNamed) {
    if (name == named.name) return named.make(economy);
  }
  for (size_t tier = 0; tier < economy.k; ++tier) {
    if (name == fmt::format("always_{}", tier)) {
      return Made(std::make_unique<Always>(economy, static_cast<Tier>(tier)));
    }
  }
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("there is no policy {} for {}; use {}", name, economy.name,
                          fmt::join(baseline_names(economy), ", ")));
}

std::vector<std::string> baseline_names(const Economy& economy) {
  std::vector<std::string> out;
  for (size_t tier = 0; tier < economy.k; ++tier) out.push_back(fmt::format("always_{}", tier));
  for (const Named& named : kNamed) out.emplace_back(named.name);
  return out;
}

}  // namespace vsr::eval
