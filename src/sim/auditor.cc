#include "sim/auditor.h"

#include <algorithm>

namespace vsr::sim {

std::vector<std::string> find_opaque(std::string_view body) {
  std::vector<std::string> out;
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  for (size_t at = body.find(kOpaqueMark); at != std::string_view::npos;
       at = body.find(kOpaqueMark, at + 1)) {
    size_t end = at;
    while (end < body.size() && is_part(body[end])) ++end;
    std::string item(body.substr(at, end - at));
    if (std::ranges::find(out, item) == out.end()) out.push_back(std::move(item));
  }
  return out;
}

void Auditor::made(const std::string& id, const std::string& model) {
  const std::lock_guard lock(mutex_);
  if (!model_of_.insert_or_assign(id, model).second) return;
  order_.push_back(id);
  if (order_.size() > kMadeIdsMax) {
    model_of_.erase(order_.front());
    order_.pop_front();
  }
}

void Auditor::delivered(const std::string& id, const std::string& model,
                        std::string_view request_id) {
  const std::lock_guard lock(mutex_);
  const auto found = model_of_.find(id);
  if (found == model_of_.end()) return;
  const bool is_opaque = id.starts_with(kOpaqueMark);
  ++(is_opaque ? counts_.opaque_items : counts_.tool_results);
  if (found->second == model) return;
  ++(is_opaque ? counts_.opaque_items_astray : counts_.tool_results_astray);
  if (misdeliveries_.size() == kMisdeliveriesKeptMax) return;
  misdeliveries_.push_back({std::string(request_id), id, found->second, model});
}

void Auditor::clear() {
  const std::lock_guard lock(mutex_);
  model_of_.clear();
  order_.clear();
  counts_ = {};
  misdeliveries_.clear();
}

DeliveryCounts Auditor::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::vector<Misdelivery> Auditor::misdeliveries() const {
  const std::lock_guard lock(mutex_);
  return misdeliveries_;
}

}  // namespace vsr::sim
