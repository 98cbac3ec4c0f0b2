#include "eval/learned_policy.h"

#include <fmt/format.h>

#include <array>

#include "eval/prices.h"

namespace vsr::eval {

namespace {

class Learned final : public ServingPolicy {
 public:
  Learned(std::shared_ptr<const config::Config> config, bool remembers)
      : config_(std::move(config)),
        tables_(learning::make_tables(*config_)),
        remembers_(remembers) {}

  void begin_session() override { lineages_.clear(); }

  Tier serve(const Request& request, Tier owner) override {
    learning::Lineage& z = lineage(request);
    learning::Step step = step_of(request);
    z.auxiliary = request.auxiliary;
    z.side = request.lineage != 0;
    learning::observe(*tables_, shared_, z, step, owner != kNoTier);
    if (owner != kNoTier) {
      z.cur = owner;
      return owner;
    }
    std::array<Tier, learning::kTiersMax> tiers;
    const std::array<config::ModelId, 1> refs = {tables_->model[request.proposed]};
    const size_t count =
        learning::candidate_tiers(*tables_, refs, false, request.proposed, z.cur, tiers);
    return learning::choose(*tables_, shared_, z, step, std::span(tiers).first(count)).tier;
  }

  void answered(const Request& request, Tier tier) override {
    learning::answered(shared_, lineage(request), step_of(request), tier,
                       static_cast<uint32_t>(request.completion), request.private_text,
                       !request.auxiliary);
    if (!remembers_) shared_ = {};
  }

 private:
  learning::Lineage& lineage(const Request& request) {
    const size_t index = static_cast<size_t>(request.lineage);
    if (lineages_.size() <= index) lineages_.resize(index + 1);
    return lineages_[index];
  }

  learning::Step step_of(const Request& request) {
    prefix_[0] = static_cast<uint64_t>(request.prefix) + 1;
    learning::Step step;
    step.t = static_cast<double>(request.t);
    step.length = static_cast<uint32_t>(request.length);
    step.user_tokens = static_cast<uint32_t>(request.user_tokens);
    step.proposed = request.proposed;
    step.tool = request.tool;
    step.failure_feedback = request.failure_feedback;
    step.prefix_hashes = prefix_;
    step.shared_tokens = static_cast<uint32_t>(request.shared);
    return step;
  }

  const std::shared_ptr<const config::Config> config_;
  const std::shared_ptr<const learning::Tables> tables_;
  const bool remembers_;
  std::array<uint64_t, 1> prefix_{};
  learning::SharedCounts shared_;
  std::vector<learning::Lineage> lineages_;
};

}  // namespace

Result<config::CandidateSet> candidate_set_of(std::string_view name) {
  if (name.empty() || name == "decision") return config::CandidateSet::kDecision;
  if (name == "ladder_after_first") return config::CandidateSet::kLadderAfterFirst;
  if (name == "at_least") return config::CandidateSet::kAtLeast;
  if (name == "ladder") return config::CandidateSet::kLadder;
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("there is no candidate set {}; use decision, ladder_after_first, "
                          "at_least or ladder",
                          name));
}

Result<std::unique_ptr<ServingPolicy>> learned_policy(std::string_view prices,
                                                      const LearnedOptions& options) {
  auto config = price_set(prices, options.lambda, options.candidate_set, options.price_factor);
  if (!config) return std::unexpected(config.error());
  return std::make_unique<Learned>(std::move(*config), options.remembers);
}

}  // namespace vsr::eval
