#include "sim/state.h"

#include <fmt/format.h>

#include <algorithm>

#include "json/value.h"

namespace vsr::sim {

namespace {

std::string usage_json(const CacheUse& use, int64_t completion_tokens) {
  json::JsonWriter writer;
  writer.begin_object().field("prompt_tokens", use.prompt_tokens);
  writer.field("completion_tokens", completion_tokens);
  writer.field("total_tokens", use.prompt_tokens + completion_tokens);
  writer.key("prompt_tokens_details").begin_object();
  writer.field("cached_tokens", use.cached_tokens);
  writer.field("created_cache_tokens", use.created_tokens).end_object().end_object();
  return writer.take();
}

int64_t completion_tokens_of(const Reply& reply) {
  int64_t tokens = PrefixCache::count_tokens(reply.content + reply.reasoning);
  for (const ScriptedToolCall& call : reply.tool_calls) {
    tokens += PrefixCache::count_tokens(call.name + call.arguments);
  }
  return tokens;
}

}  // namespace

bool BackendState::serves(std::string_view model) const {
  return model.empty() || std::ranges::find(models_, model) != models_.end();
}

bool BackendState::add_answers(std::vector<Answer> answers) {
  const std::lock_guard lock(mutex_);
  if (answers_.size() + answers.size() > kAnswersMax) return false;
  for (Answer& answer : answers) answers_.push_back(std::move(answer));
  return true;
}

void BackendState::clear() {
  const std::lock_guard lock(mutex_);
  answers_.clear();
  cache_.clear();
  journal_.clear();
  auditor_->clear();
  // What runs now is still running.
  stats_ = {.running = stats_.running};
  prompt_tokens_ = cached_tokens_ = 0;
  next_id_ = 1;
}

uint64_t BackendState::record(SeenRequest request) {
  const std::lock_guard lock(mutex_);
  return journal_.add(std::move(request));
}

void BackendState::set_aborted(uint64_t number, int64_t after_ms) {
  const std::lock_guard lock(mutex_);
  journal_.set_aborted(number, after_ms);
  ++stats_.aborted;
}

Reply BackendState::make_reply(const GenerationRequest& request, const Answer& answer,
                               const CacheUse& use) {
  Reply reply;
  reply.api = request.api;
  reply.id = fmt::format("{}-sim-{:06}", request.api == Api::kChat ? "chatcmpl" : "cmpl", next_id_);
  reply.model = models_.front();
  reply.created_unix_s = clock_.unix_ms() / 1'000;
  reply.content = answer.content;
  reply.reasoning = answer.reasoning;
  reply.tool_calls = answer.tool_calls;
  reply.extra = answer.extra;
  reply.chunks = answer.chunks;
  for (size_t i = 0; i < reply.tool_calls.size(); ++i) {
    std::string& id = reply.tool_calls[i].id;
    if (id.empty()) id = fmt::format("call_sim_{:06}_{}", next_id_, i);
  }
  ++next_id_;
  if (answer.fault == Fault::kEmpty) {
    reply.content.clear();
    return reply;
  }
  if (!answer.has_content && reply.reasoning.empty() && reply.tool_calls.empty()) {
    reply.content =
        fmt::format("I was asked as {}. The prompt has {} tokens.",
                    request.model.empty() ? models_.front() : request.model, use.prompt_tokens);
  }
  if (answer.usage_kind == UsageKind::kGiven) reply.usage = answer.usage;
  if (answer.usage_kind == UsageKind::kComputed) {
    reply.usage = usage_json(use, completion_tokens_of(reply));
  }
  return reply;
}

void BackendState::store_answer(const GenerationRequest& request, const Reply& reply) {
  if (const auto message = json::Value::parse(message_json(reply))) {
    cache_.store(request.prompt + render_assistant(*message), request.cache_salt);
  }
}

Admitted BackendState::admit(const GenerationRequest& request) {
  const std::lock_guard lock(mutex_);
  Admitted admitted;
  if (request.answer) {
    admitted.answer = *request.answer;
  } else if (!answers_.empty()) {
    admitted.answer = std::move(answers_.front());
    answers_.pop_front();
  }
  admitted.asked_model = request.model.empty() ? models_.front() : request.model;
  for (const auto* ids : {&request.tool_results, &request.opaque_items}) {
    for (const std::string& id : *ids) {
      auditor_->delivered(id, admitted.asked_model, request.request_id);
    }
  }
  const CacheUse use = cache_.use(request.prompt, request.cache_salt);
  admitted.reply = make_reply(request, admitted.answer, use);
  if (request.api == Api::kChat && admitted.answer.status == 200 &&
      admitted.answer.fault == Fault::kNone) {
    store_answer(request, admitted.reply);
  }
  admitted.blocks = (use.prompt_tokens + PrefixCache::kBlockTokens - 1) /
                    static_cast<int64_t>(PrefixCache::kBlockTokens);
  running_blocks_ += admitted.blocks;
  prompt_tokens_ += use.prompt_tokens;
  cached_tokens_ += use.cached_tokens;
  ++stats_.requests;
  ++stats_.running;
  // Known before the answer is out: a client may send the result at the last byte.
  for (const ScriptedToolCall& call : admitted.reply.tool_calls) {
    auditor_->made(call.id, admitted.asked_model);
  }
  for (const std::string& item : find_opaque(message_json(admitted.reply))) {
    auditor_->made(item, admitted.asked_model);
  }
  return admitted;
}

void BackendState::release(const Admitted& admitted) {
  const std::lock_guard lock(mutex_);
  --stats_.running;
  running_blocks_ -= admitted.blocks;
}

Stats BackendState::stats() const {
  const std::lock_guard lock(mutex_);
  Stats stats = stats_;
  const DeliveryCounts counts = auditor_->counts();
  stats.deliveries = counts.tool_results;
  stats.violations = counts.tool_results_astray;
  stats.opaque_deliveries = counts.opaque_items;
  stats.opaque_violations = counts.opaque_items_astray;
  return stats;
}

std::vector<SeenRequest> BackendState::requests() const {
  const std::lock_guard lock(mutex_);
  return {journal_.requests().begin(), journal_.requests().end()};
}

std::string BackendState::requests_json() const {
  const std::lock_guard lock(mutex_);
  json::JsonWriter writer;
  journal_.write(writer);
  return writer.take();
}

std::string BackendState::stats_json(size_t connections) const {
  const Stats stats = this->stats();
  json::JsonWriter writer;
  writer.begin_object().field("requests", stats.requests).field("aborted", stats.aborted);
  writer.field("running", stats.running).field("connections", connections);
  writer.field("deliveries", stats.deliveries).field("violations", stats.violations);
  writer.field("opaque_deliveries", stats.opaque_deliveries);
  writer.field("opaque_violations", stats.opaque_violations);
  writer.end_object();
  return writer.take();
}

std::string BackendState::metrics_text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  const auto add = [&](std::string_view name, std::string_view type, std::string_view help,
                       double value) {
    fmt::format_to(std::back_inserter(out),
                   "# HELP vllm:{0} {2}\n# TYPE vllm:{0} {1}\n"
                   "vllm:{0}{{engine=\"0\",model_name=\"{3}\"}} {4:.17g}\n",
                   name, type, help, models_.front(), value);
  };
  add("prefix_cache_queries_total", "counter", "Prefix cache queries, in queried tokens.",
      static_cast<double>(cache_.queries()));
  add("prefix_cache_hits_total", "counter", "Prefix cache hits, in cached tokens.",
      static_cast<double>(cache_.hits()));
  add("prompt_tokens_total", "counter", "Prompt tokens processed.",
      static_cast<double>(prompt_tokens_));
  add("prompt_tokens_cached_total", "counter", "Prompt tokens found in the prefix cache.",
      static_cast<double>(cached_tokens_));
  add("num_requests_running", "gauge", "Requests that are answered now.",
      static_cast<double>(stats_.running));
  // Every request is answered at once.
  add("num_requests_waiting", "gauge", "Requests that wait to be answered.", 0);
  add("kv_cache_usage_perc", "gauge", "Share of the KV cache that running requests use.",
      std::min(1.0,
               static_cast<double>(running_blocks_) / static_cast<double>(cache_.blocks_max())));
  return out;
}

}  // namespace vsr::sim
