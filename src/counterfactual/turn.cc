#include "counterfactual/turn.h"

#include <algorithm>
#include <tuple>
#include <unordered_set>

#include "json/reader.h"

namespace vsr::counterfactual {
namespace {

// String members of a document that have no escapes, by name; "" for what is not there.
void read_members(const std::string& document,
                  std::initializer_list<std::pair<std::string_view, std::string*>> wanted) {
  json::Reader reader;
  std::string_view key;
  if (!reader.open(document) || !reader.begin_object()) return;
  while (reader.next_field(key)) {
    const auto found = std::ranges::find(wanted, key, [](const auto& one) { return one.first; });
    std::string_view value = reader.skip().in(document);
    if (found == wanted.end() || value.size() < 2 || value.front() != '"') continue;
    *found->second = value.substr(1, value.size() - 2);
  }
}

bool is_earlier(const Operation& a, const Operation& b) {
  return std::tie(a.unix_ms, a.turn, a.kind, a.note) < std::tie(b.unix_ms, b.turn, b.kind, b.note);
}

// Numbered operations by their numbers, the others between them by the clock.
std::vector<Operation> in_order(std::vector<Operation> operations) {
  const auto middle =
      std::ranges::partition(operations, [](const Operation& one) { return one.order != 0; });
  std::sort(operations.begin(), middle.begin(),
            [](const Operation& a, const Operation& b) { return a.order < b.order; });
  std::sort(middle.begin(), operations.end(), is_earlier);
  std::vector<Operation> out;
  out.reserve(operations.size());
  auto numbered = operations.begin();
  for (auto other = middle.begin(); other != operations.end(); ++other) {
    // What one request did stays in order whatever the clock says.
    const auto comes_first = [&](const Operation& one) {
      return one.unix_ms < other->unix_ms ||
             (one.unix_ms == other->unix_ms && one.turn <= other->turn);
    };
    while (numbered != middle.begin() && comes_first(*numbered)) out.push_back(*numbered++);
    out.push_back(*other);
  }
  out.insert(out.end(), numbered, middle.begin());
  std::unordered_set<size_t> seen;
  for (auto one = out.rbegin(); one != out.rend(); ++one) {
    one->is_last = seen.insert(one->turn).second;
  }
  return out;
}

}  // namespace

Turn turn_of(const store::Row& row, bool is_wanted) {
  Turn out;
  out.id = row.id;
  out.sequence = row.sequence;
  out.summary = row.summary;
  out.is_wanted = is_wanted;
  if (row.routing) {
    read_members(*row.routing, {{"rerun", &out.rerun}, {"policy_version", &out.policy_version}});
  }
  std::string log;
  if (row.terminal) read_members(*row.terminal, {{"rerun_state", &log}});
  if (auto decoded = router::decode_state_log(log)) out.log = std::move(*decoded);
  return out;
}

std::vector<Epoch> epochs_of(const std::vector<Turn>& turns) {
  using enum Operation::Kind;
  std::vector<Epoch> out;
  for (size_t i = 0; i < turns.size(); ++i) {
    const auto recorded = router::decode_rerun(turns[i].rerun);
    if (!recorded) continue;
    auto epoch = std::ranges::find(out, recorded->epoch, &Epoch::id);
    if (epoch == out.end()) epoch = out.insert(out.end(), Epoch{recorded->epoch, {}});
    std::vector<Operation>& to = epoch->operations;
    const router::StateLog& log = turns[i].log;
    to.push_back({i, kDecide, 0, recorded->order, recorded->facts.unix_ms});
    if (log.commit_ms != 0) to.push_back({i, kCommit, 0, log.commit_order, log.commit_ms});
    for (uint32_t n = 0; n < log.noted.size(); ++n) {
      to.push_back({i, kNote, n, log.noted[n].order, log.noted[n].unix_ms});
    }
    if (log.done_ms != 0) to.push_back({i, kDone, 0, log.done_order, log.done_ms});
  }
  for (Epoch& epoch : out) epoch.operations = in_order(std::move(epoch.operations));
  return out;
}

}  // namespace vsr::counterfactual
