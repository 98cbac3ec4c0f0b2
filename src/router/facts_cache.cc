#include "router/facts_cache.h"

namespace vsr::router {

namespace {

size_t size_of(const wire::MessageFacts& facts) {
  constexpr size_t kNodeBytes = 128;  // list and map nodes, control block
  size_t bytes = sizeof(facts) + kNodeBytes + facts.opaque.size() * sizeof(wire::OpaqueItem);
  for (const std::string& id : facts.tool_call_ids) bytes += sizeof(id) + id.capacity();
  for (const std::string& id : facts.tool_result_ids) bytes += sizeof(id) + id.capacity();
  return bytes;
}

}  // namespace

std::shared_ptr<const wire::MessageFacts> FactsCache::find_message(uint64_t raw_hash) {
  const auto found = messages_.find(raw_hash);
  if (found == messages_.end()) return nullptr;
  newest_first_.splice(newest_first_.begin(), newest_first_, found->second);
  return found->second->facts;
}

std::shared_ptr<const wire::MessageFacts> FactsCache::put_message(uint64_t raw_hash,
                                                                  wire::MessageFacts facts) {
  if (auto known = find_message(raw_hash)) return known;
  const size_t bytes = size_of(facts);
  auto shared = std::make_shared<const wire::MessageFacts>(std::move(facts));
  newest_first_.push_front({raw_hash, bytes, shared});
  messages_[raw_hash] = newest_first_.begin();
  bytes_ += bytes;
  while (bytes_ > bytes_max_) {
    bytes_ -= newest_first_.back().bytes;
    messages_.erase(newest_first_.back().raw_hash);
    newest_first_.pop_back();
  }
  return shared;
}

const wire::ToolsFacts* FactsCache::find_tools(uint64_t raw_hash) const {
  const auto found = tools_.find(raw_hash);
  return found == tools_.end() ? nullptr : &found->second;
}

void FactsCache::put_tools(uint64_t raw_hash, const wire::ToolsFacts& facts) {
  if (tools_.size() >= kToolsMax) tools_.clear();
  tools_[raw_hash] = facts;
}

}  // namespace vsr::router
