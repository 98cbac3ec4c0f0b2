#include "store/delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vsr::store {
namespace {

constexpr std::string_view kCaller = "caller";
constexpr std::string_view kBypass = "bypass";
constexpr int kHexBase = 16;

// FNV-1a. Both parts of a key go through it, so that equal ids of two conversations do not meet.
uint64_t key_of(char scope, std::string_view name, char kind, uint64_t id) {
  uint64_t hash = 0xCBF29CE484222325u;
  const auto take = [&](unsigned char byte) { hash = (hash ^ byte) * 0x100000001B3u; };
  take(static_cast<unsigned char>(scope));
  for (const char c : name) take(static_cast<unsigned char>(c));
  take(static_cast<unsigned char>(kind));
  for (int shift = 0; shift < 64; shift += 8) take(static_cast<unsigned char>(id >> shift));
  return hash;
}

void append_ids(std::string& out, char kind, std::span<const uint64_t> ids) {
  for (const uint64_t id : ids) {
    if (!out.empty()) out += ' ';
    fmt::format_to(std::back_inserter(out), "{}{:016x}", kind, id);
  }
}

template <typename Take>
void for_each(const Ids& ids, const Take& take) {
  for (const uint64_t id : ids.calls) take('c', id);
  for (const uint64_t id : ids.items) take('o', id);
}

}  // namespace

std::string id_list(std::span<const uint64_t> calls, std::span<const uint64_t> items,
                    Chooser chooser) {
  std::string out;
  calls = calls.last(std::min(calls.size(), kIdsPerRecordMax));
  items = items.last(std::min(items.size(), kIdsPerRecordMax - calls.size()));
  if (calls.empty() && items.empty()) return out;
  if (chooser != Chooser::kRoute) out = chooser == Chooser::kCaller ? kCaller : kBypass;
  append_ids(out, 'c', calls);
  append_ids(out, 'o', items);
  return out;
}

Ids parse_id_list(std::string_view text) {
  Ids out;
  for (const std::string_view word : split(text, ' ')) {
    if (word == kCaller) out.chooser = Chooser::kCaller;
    if (word == kBypass) out.chooser = Chooser::kBypass;
    uint64_t id = 0;
    if (word.size() != 17) continue;
    const auto [end, error] = std::from_chars(word.data() + 1, word.data() + 17, id, kHexBase);
    if (error != std::errc() || end != word.data() + 17) continue;
    if (word[0] == 'c') out.calls.push_back(id);
    if (word[0] == 'o') out.items.push_back(id);
  }
  return out;
}

bool Deliveries::Result::is_unsafe(int64_t sequence) const {
  return std::ranges::binary_search(unsafe, sequence);
}

uint32_t Deliveries::number_of(const std::string& model) {
  const auto next = static_cast<uint32_t>(models_.size());
  return models_.emplace(model, next).first->second;
}

void Deliveries::add_maker(int64_t sequence, const Summary& summary) {
  if (summary.emitted.empty() || !makers_.insert(sequence).second) return;
  const uint32_t model = number_of(summary.selected_model);
  for_each(parse_id_list(summary.emitted), [&](char kind, uint64_t id) {
    if (made_.size() + 2 > 2 * ids_max_) return void(complete_ = false);
    made_.push_back({key_of('c', summary.conversation_id, kind, id), sequence, model});
    made_.push_back({key_of('s', summary.session_id, kind, id), sequence, model});
  });
}

void Deliveries::add(int64_t sequence, const Summary& summary) {
  add_maker(sequence, summary);
  if (summary.delivered.empty() || summary.selected_model.empty()) return;
  note_place(summary);
  const uint32_t model = number_of(summary.selected_model);
  const Ids delivered = parse_id_list(summary.delivered);
  for_each(delivered, [&](char kind, uint64_t id) {
    if (delivered_.size() + 1 > ids_max_) return void(complete_ = false);
    delivered_.push_back({key_of('c', summary.conversation_id, kind, id),
                          key_of('s', summary.session_id, kind, id), sequence, model,
                          delivered.chooser});
  });
}

void Deliveries::note_place(const Summary& summary) {
  if (places_.anywhere) return;
  places_.sessions.insert(summary.session_id);
  places_.conversations.insert(summary.conversation_id);
  places_.anywhere =
      places_.sessions.size() > kPlacesMax || places_.conversations.size() > kPlacesMax;
}

const Deliveries::Made* Deliveries::maker(uint64_t key, int64_t sequence) const {
  const auto after =
      std::lower_bound(made_.begin(), made_.end(), Made{.key = key, .sequence = sequence});
  if (after == made_.begin()) return nullptr;
  const Made& before = *std::prev(after);
  return before.key == key ? &before : nullptr;
}

Deliveries::Result Deliveries::join() {
  std::sort(made_.begin(), made_.end());
  Result out;
  out.complete = complete_;
  for (const Delivered& each : delivered_) {
    const Made* made = maker(each.conversation_key, each.sequence);
    if (made == nullptr) made = maker(each.session_key, each.sequence);
    if (made == nullptr) {
      ++out.unknown;
      continue;
    }
    ++out.delivered;
    if (made->model == each.model) continue;
    if (each.chooser != Chooser::kRoute) {
      ++out.to_another_by_choice;
      continue;
    }
    ++out.to_another;
    out.unsafe.push_back(each.sequence);
  }
  std::ranges::sort(out.unsafe);
  const auto repeated = std::ranges::unique(out.unsafe);
  out.unsafe.erase(repeated.begin(), repeated.end());
  return out;
}

}  // namespace vsr::store
