#include "counterfactual/comparison.h"

#include <algorithm>
#include <random>

#include "store/aggregate.h"
#include "store/cache_spend.h"

namespace vsr::counterfactual {
namespace {

using json::JsonWriter;

std::string model_name(const router::Decision& decision, config::ModelId model) {
  return model == config::kNoModel ? "" : decision.config->models[model].name;
}

// A session counts as one conversation, since its turns depend on each other.
std::string conversation_of(const Turn& turn) {
  const store::Summary& summary = *turn.summary;
  if (!summary.session_id.empty()) return summary.session_id;
  return summary.conversation_id.empty() ? turn.id.hex() : summary.conversation_id;
}

void write_matrix(JsonWriter& out, std::string_view name,
                  const std::map<std::pair<std::string, std::string>, uint64_t>& matrix) {
  std::vector<std::pair<std::pair<std::string, std::string>, uint64_t>> sorted(matrix.begin(),
                                                                               matrix.end());
  std::ranges::stable_sort(sorted, std::greater(), [](const auto& cell) { return cell.second; });
  out.key(name).begin_array();
  for (const auto& [change, count] : sorted) {
    out.begin_object().field("from", change.first).field("to", change.second);
    out.field("count", count).end_object();
  }
  out.end_array();
}

void count_change(std::map<std::pair<std::string, std::string>, uint64_t>& matrix,
                  const std::string& from, const std::string& to) {
  const std::pair change(from, to);
  if (matrix.size() < kChangesMax || matrix.contains(change)) ++matrix[change];
}

void write_interval(JsonWriter& out, std::string_view name, const Interval& interval) {
  out.key(name).begin_array().value(interval.low).value(interval.high).end_array();
}

// The ids that the record delivered, with whose word the new model stands on.
std::string delivered_by(const router::Decision& decision, const std::string& recorded) {
  const store::Ids ids = store::parse_id_list(recorded);
  const auto chooser = decision.explicit_model ? store::Chooser::kCaller
                       : decision.is_bypass()  ? store::Chooser::kBypass
                                               : store::Chooser::kRoute;
  return store::id_list(ids.calls, ids.items, chooser);
}

// The record as it would have been: the answer, and the ids of calls in it, are those recorded.
store::Summary decided(const store::Summary& recorded, const router::Decision& decision) {
  store::Summary after = recorded;
  after.decision = decision.rule() == nullptr ? "" : decision.rule()->name;
  after.selected_model = model_name(decision, decision.model);
  after.previous_model = model_name(decision, decision.previous);
  after.action = learning::to_string(decision.verdict.action);
  after.reason = decision.verdict.reason;
  after.is_switch = !after.previous_model.empty() && !after.selected_model.empty() &&
                    after.previous_model != after.selected_model && !decision.is_bypass();
  after.delivered = delivered_by(decision, recorded.delivered);
  return after;
}

}  // namespace

std::vector<Interval> bootstrap(const std::vector<std::vector<double>>& lists) {
  const size_t n = lists.empty() ? 0 : lists.front().size();
  std::vector<Interval> out(lists.size());
  if (n == 0) return out;
  std::mt19937_64 random(kResampleSeed);
  std::vector<std::vector<double>> sums(lists.size(), std::vector<double>(kResamples, 0));
  std::vector<uint32_t> drawn(n);
  for (size_t round = 0; round < kResamples; ++round) {
    std::ranges::fill(drawn, 0);
    for (size_t i = 0; i < n; ++i) ++drawn[random() % n];
    for (size_t list = 0; list < lists.size(); ++list) {
      double sum = 0;
      for (size_t i = 0; i < n; ++i) sum += drawn[i] * lists[list][i];
      sums[list][round] = sum;
    }
  }
  constexpr size_t kTail = kResamples / 40;  // 2.5 % at each end
  for (size_t list = 0; list < lists.size(); ++list) {
    std::ranges::sort(sums[list]);
    out[list] = {sums[list][kTail], sums[list][kResamples - 1 - kTail]};
  }
  return out;
}

Comparison::Comparison(std::shared_ptr<const config::Config> config) : config_(std::move(config)) {
  std::map<std::string, size_t> currencies;
  for (const config::Model& model : config_->models) {
    if (model.pricing) ++currencies[model.pricing->currency];
  }
  const auto most =
      std::ranges::max_element(currencies, {}, [](const auto& c) { return c.second; });
  if (most != currencies.end()) currency_ = most->first;
  for (config::ModelId model = 0; model < config_->models.size(); ++model) {
    const auto& pricing = config_->models[model].pricing;
    if (pricing && pricing->currency == currency_) priced_.push_back(model);
  }
}

bool Comparison::is_priced(config::ModelId model) const {
  return std::ranges::find(priced_, model) != priced_.end();
}

Comparison::Side Comparison::side_of(const store::Summary& summary) {
  return {summary.decision, summary.selected_model, summary.action, summary.reason,
          summary.is_switch};
}

void Comparison::add(const Turn& turn, const Outcome& outcome) {
  ++read_;
  const store::Summary& summary = *turn.summary;
  const config::ModelId before = config_->find_model(summary.selected_model);
  const bool counts = turn.is_wanted && outcome.cause.empty();
  if (turn.is_wanted) {
    ++matched_;
    ++policy_versions_[turn.policy_version];
    if (!outcome.cause.empty()) ++causes_[std::string(outcome.cause)];
  }
  const bool is_decided = outcome.cause.empty();
  const store::Summary would_be = is_decided ? decided(summary, *outcome.decision) : summary;
  const config::ModelId after = is_decided ? outcome.decision->model : before;
  if (counts) {
    ++replayable_;
    before_deliveries_.add(turn.sequence, summary);
    after_deliveries_.add(turn.sequence, would_be);
    compare(turn, side_of(summary), side_of(would_be));
    Sums& sums = conversations_[conversation_of(turn)];
    sums.always.resize(priced_.size());
    sums.switches_before += summary.is_switch ? 1 : 0;
    sums.switches_after += would_be.is_switch ? 1 : 0;
    add_cost(summary, before, after, sums);
  } else {
    before_deliveries_.add_maker(turn.sequence, summary);
    after_deliveries_.add_maker(turn.sequence, would_be);
  }
  if (summary.prompt_tokens == 0) return;
  const learning::CacheStep step = store::cache_step(summary);
  before_cache_.served(step, before);
  after_cache_.served(step, after);
}

void Comparison::compare(const Turn& turn, const Side& before, const Side& after) {
  const bool decision = before.decision != after.decision;
  const bool model = before.model != after.model;
  if (after.model.empty() && !before.model.empty()) ++refused_;
  if (decision) {
    ++decisions_changed_;
    count_change(decisions_, before.decision, after.decision);
  }
  if (model) {
    ++models_changed_;
    count_change(models_, before.model, after.model);
  }
  if (!decision && !model && before.action == after.action && before.reason == after.reason) return;
  ++outcomes_changed_;
  if ((decision || model) && examples_.size() < kExamplesMax) {
    examples_.push_back({turn.id.hex(), before, after});
  }
}

void Comparison::add_cost(const store::Summary& summary, config::ModelId before,
                          config::ModelId after, Sums& sums) {
  if (summary.prompt_tokens == 0) return;
  if (!is_priced(before) || !is_priced(after)) {
    ++unpriced_;
    note_unpriced(summary, before, after);
    return;
  }
  ++costed_;
  const learning::CacheStep step = store::cache_step(summary);
  const auto cost = [&](config::ModelId model, uint64_t cached) {
    return learning::cost_under_cache(config_->models[model], step, cached);
  };
  const auto ttl = [&](config::ModelId model) { return config_->models[model].cache.ttl_seconds; };
  sums.cost_before += cost(before, before_cache_.hit(step, before, ttl(before)));
  sums.cost_after += cost(after, after_cache_.hit(step, after, ttl(after)));
  for (size_t i = 0; i < priced_.size(); ++i) {
    sums.always[i] += cost(priced_[i], before_cache_.hit_of_one(step, ttl(priced_[i])));
  }
}

void Comparison::note_unpriced(const store::Summary& summary, config::ModelId before,
                               config::ModelId after) {
  constexpr std::string_view kNoPrice = "no_price_in_currency";
  const auto name = [&](config::ModelId model) { return config_->models[model].name; };
  if (summary.selected_model.empty()) {
    count_change(unpriced_models_, "", "refused");
  } else if (before == config::kNoModel) {
    count_change(unpriced_models_, summary.selected_model, "not_in_recipe");
  } else if (!is_priced(before)) {
    count_change(unpriced_models_, name(before), std::string(kNoPrice));
  }
  if (after == config::kNoModel) {
    count_change(unpriced_models_, "", "refused");
  } else if (after != before && !is_priced(after)) {
    count_change(unpriced_models_, name(after), std::string(kNoPrice));
  }
}

// ---- the answer ---------------------------------------------------------------------------------

void Comparison::write_counts(JsonWriter& out) const {
  out.key("records").begin_object();
  out.field("read", read_).field("matched", matched_).field("replayable", replayable_);
  out.field("not_replayable", matched_ - replayable_);
  out.key("not_replayable_causes").begin_object();
  for (const auto& [cause, count] : causes_) out.field(cause, count);
  out.end_object();
  out.key("policy_versions").begin_object();
  for (const auto& [version, count] : policy_versions_) out.field(version, count);
  out.end_object();
  out.end_object();
}

void Comparison::write_changes(JsonWriter& out) const {
  out.key("changed").begin_object();
  out.field("decision", decisions_changed_).field("model", models_changed_);
  out.field("decision_model_action_or_reason", outcomes_changed_);
  out.field("refused", refused_);
  write_matrix(out, "decisions", decisions_);
  write_matrix(out, "models", models_);
  out.key("examples").begin_array();
  for (const Example& example : examples_) {
    out.begin_object().field("id", example.id);
    for (const auto& [name, side] :
         {std::pair("before", &example.before), std::pair("after", &example.after)}) {
      out.key(name).begin_object().field("decision", side->decision).field("model", side->model);
      out.field("action", side->action).field("reason", side->reason).end_object();
    }
    out.end_object();
  }
  out.end_array().end_object();
}

void Comparison::write_unpriced(JsonWriter& out) const {
  out.key("unpriced_models").begin_array();
  for (const auto& [cause, records] : unpriced_models_) {
    out.begin_object().field("model", cause.first).field("why", cause.second);
    out.field("records", records).end_object();
  }
  out.end_array();
}

void Comparison::write_money(JsonWriter& out) const {
  // One list per line: before, after, after − before, the same of switches, and for each model
  // what it costs and by how much the new routing is cheaper.
  constexpr size_t kFixed = 5;
  std::vector<std::vector<double>> lists(kFixed + 2 * priced_.size());
  double switches[2] = {};
  double cost[2] = {};
  std::vector<double> always(priced_.size());
  for (const auto& [name, sums] : conversations_) {
    switches[0] += sums.switches_before;
    switches[1] += sums.switches_after;
    cost[0] += sums.cost_before;
    cost[1] += sums.cost_after;
    lists[0].push_back(sums.cost_before);
    lists[1].push_back(sums.cost_after);
    lists[2].push_back(sums.cost_after - sums.cost_before);
    lists[3].push_back(sums.switches_before);
    lists[4].push_back(sums.switches_after);
    for (size_t i = 0; i < priced_.size(); ++i) {
      always[i] += sums.always[i];
      lists[kFixed + 2 * i].push_back(sums.always[i]);
      lists[kFixed + 2 * i + 1].push_back(sums.always[i] - sums.cost_after);
    }
  }
  const std::vector<Interval> intervals = bootstrap(lists);
  out.key("switches").begin_object().field("before", switches[0]).field("after", switches[1]);
  write_interval(out, "before_interval", intervals[3]);
  write_interval(out, "after_interval", intervals[4]);
  out.end_object();
  out.key("cost").begin_object().field("currency", currency_);
  out.field("records", costed_).field("unpriced_records", unpriced_);
  write_unpriced(out);
  if (costed_ == 0) {
    // Sums over nothing would read as if both sides cost the same.
    out.null_field("before").null_field("after").null_field("difference");
    out.key("always_one_model").begin_array().end_array().end_object();
    write_draws(out);
    return;
  }
  out.field("before", cost[0]).field("after", cost[1]).field("difference", cost[1] - cost[0]);
  write_interval(out, "before_interval", intervals[0]);
  write_interval(out, "after_interval", intervals[1]);
  write_interval(out, "difference_interval", intervals[2]);
  out.key("always_one_model").begin_array();
  for (size_t i = 0; i < priced_.size(); ++i) {
    out.begin_object().field("model", config_->models[priced_[i]].name).field("cost", always[i]);
    write_interval(out, "cost_interval", intervals[kFixed + 2 * i]);
    out.field("saved_by_recipe", always[i] - cost[1]);
    write_interval(out, "saved_interval", intervals[kFixed + 2 * i + 1]);
    out.end_object();
  }
  out.end_array().end_object();
  write_draws(out);
}

void Comparison::write_draws(JsonWriter& out) const {
  out.key("intervals").begin_object().field("percent", 95).field("resamples", kResamples);
  out.field("conversations", conversations_.size()).field("seed", kResampleSeed).end_object();
}

void Comparison::write_unsafe(JsonWriter& out) {
  const store::Deliveries::Result before = before_deliveries_.join();
  const store::Deliveries::Result after = after_deliveries_.join();
  out.key("unsafe_switches").begin_object();
  out.field("before", before.unsafe.size()).field("after", after.unsafe.size());
  out.field("complete", before.complete && after.complete).end_object();
}

void Comparison::write(JsonWriter& out) {
  write_counts(out);
  write_changes(out);
  write_unsafe(out);
  write_money(out);
}

}  // namespace vsr::counterfactual
