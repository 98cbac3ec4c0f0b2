#include "wire/conversation.h"

#include <algorithm>
#include <vector>

#include "wire/hash.h"

namespace vsr::wire {
namespace {

constexpr size_t kProviderStateMax = 1024;

class Analysis {
 public:
  Analysis(const ChatRequest& request, std::span<const MessageFacts* const> facts,
           const ToolsFacts& tools, json::Arena& arena)
      : request_(request), facts_(facts), tools_(tools), arena_(arena) {}

  Conversation run() {
    count();
    find_users();
    find_tool_loop();
    find_provider_state();
    hash();
    return out_;
  }

 private:
  size_t size() const { return facts_.size(); }
  bool is_system(size_t i) const {
    return facts_[i]->role == Role::kSystem || facts_[i]->role == Role::kDeveloper;
  }
  // A user message that is what a person or harness says, not tool results in user's clothing.
  bool is_user(size_t i) const {
    return facts_[i]->role == Role::kUser && !facts_[i]->is_tool_result;
  }
  bool is_answer(size_t i) const {
    return facts_[i]->role == Role::kAssistant && facts_[i]->tool_call_count == 0;
  }

  void count() {
    for (size_t i = 0; i < size(); ++i) {
      const MessageFacts& m = *facts_[i];
      ++out_.role_counts[static_cast<size_t>(m.role)];
      out_.tool_calls += m.tool_call_count;
      const bool answered = i + 1 < size() && facts_[i + 1]->is_tool_result;
      if (m.tool_call_count > 0 && answered) ++out_.tool_call_cycles;
      out_.modalities.image |= m.modalities.image;
      out_.modalities.audio |= m.modalities.audio;
      out_.modalities.video |= m.modalities.video;
      out_.modalities.file |= m.modalities.file;
      out_.size += m.size;
    }
    size_t answer = size();  // behind the last run of assistant messages
    while (answer > 0 && facts_[answer - 1]->role != Role::kAssistant) --answer;
    while (answer > 0 && facts_[answer - 1]->role == Role::kAssistant) --answer;
    out_.answered_messages = static_cast<uint32_t>(answer);
    while (out_.system_messages < size() && is_system(out_.system_messages)) {
      ++out_.system_messages;
    }
  }

  void find_users() {
    bool after_tool_result = false;  // the nearest earlier message that is no user's
    for (size_t i = 0; i < size(); ++i) {
      if (!is_user(i)) {
        after_tool_result = facts_[i]->is_tool_result;
        out_.trailing_synthetic = 0;
        continue;
      }
      if (after_tool_result) {
        ++out_.trailing_synthetic;
        continue;
      }
      if (!facts_[i]->has_text) continue;
      if (out_.first_user < 0) out_.first_user = static_cast<int32_t>(i);
      out_.last_real_user = static_cast<int32_t>(i);
      ++out_.real_user_count;
    }
  }

  void find_tool_loop() {
    size_t segment = size();
    while (segment > 0 && !is_answer(segment - 1)) --segment;
    out_.open_segment = static_cast<uint32_t>(segment);

    size_t last = size();  // behind the last message that is no user's
    while (last > segment && is_user(last - 1)) --last;
    size_t run = last;  // start of the run of results that ends there
    while (run > segment && facts_[run - 1]->is_tool_result) --run;

    json::ArenaList<std::string_view> pending(arena_);
    for (size_t i = run; i < last; ++i) add_ids(facts_[i]->tool_result_ids, pending);
    out_.delivered_results = static_cast<uint32_t>(pending.size());
    const bool missing = add_unanswered(segment, pending);
    out_.tool_loop = run < last || missing;
    if (out_.tool_loop) out_.pending_tool_call_ids = pending.span();
  }

  void add_ids(const std::vector<std::string>& ids, json::ArenaList<std::string_view>& to) {
    for (const std::string& id : ids) {
      if (!id.empty()) to.push_back(arena_.copy(id));
    }
  }

  // Calls of the open segment that have no result. Calls without an id are matched by number.
  bool add_unanswered(size_t segment, json::ArenaList<std::string_view>& pending) {
    std::vector<std::string_view> answered;
    for (size_t i = segment; i < size(); ++i) {
      answered.insert(answered.end(), facts_[i]->tool_result_ids.begin(),
                      facts_[i]->tool_result_ids.end());
    }
    std::sort(answered.begin(), answered.end());
    const auto nameless = static_cast<size_t>(
        std::upper_bound(answered.begin(), answered.end(), std::string_view()) - answered.begin());
    size_t nameless_calls = 0;
    bool missing = false;
    for (size_t i = segment; i < size(); ++i) {
      for (const std::string& id : facts_[i]->tool_call_ids) {
        if (id.empty()) {
          ++nameless_calls;
        } else if (!std::binary_search(answered.begin(), answered.end(), std::string_view(id))) {
          missing = true;
          pending.push_back(arena_.copy(id));
        }
      }
    }
    return missing || nameless_calls > nameless;
  }

  void find_provider_state() {
    json::ArenaList<ProviderState> found(arena_);
    // From the end, since of too many the newest matter.
    for (size_t i = size(); i-- > 0;) {
      const auto& items = facts_[i]->opaque;
      for (auto item = items.rbegin(); item != items.rend(); ++item) {
        if (found.size() == kProviderStateMax) break;
        const bool open = out_.tool_loop && i >= out_.open_segment;
        found.push_back({*item, static_cast<int32_t>(i), open});
      }
    }
    const auto top = [&](OpaqueKind kind, std::string_view id) {
      if (!id.empty()) found.push_back({{kind, hash_bytes(id)}, -1, out_.tool_loop});
    };
    for (const OpaqueItem& item : tools_.opaque) found.push_back({item, kInTools, out_.tool_loop});
    top(OpaqueKind::kServerTool, request_.container);
    top(OpaqueKind::kConversation, request_.conversation);
    top(OpaqueKind::kPreviousResponseId, request_.previous_response_id);
    std::reverse(found.begin(), found.end());
    out_.provider_state = found.span();
  }

  void hash() {
    const auto prefix = arena_.array<uint64_t>(size());
    uint64_t rolling = fold(tools_.canonical_hash, tools_.count);
    for (size_t i = 0; i < size(); ++i) {
      rolling = fold(rolling, facts_[i]->canonical_hash);
      prefix[i] = rolling;
    }
    out_.prefix_hashes = prefix;
    for (size_t i = 0; i < out_.system_messages; ++i) {
      if (facts_[i]->has_text) out_.system_hash = fold(out_.system_hash, facts_[i]->text_hash);
    }
    if (out_.first_user >= 0) out_.first_user_hash = facts_[out_.first_user]->text_hash;
    out_.lineage_hash = fold(fold(out_.system_hash, tools_.names_hash), out_.first_user_hash);
  }

  const ChatRequest& request_;
  const std::span<const MessageFacts* const> facts_;
  const ToolsFacts& tools_;
  json::Arena& arena_;
  Conversation out_;
};

}  // namespace

Conversation analyse(const ChatRequest& request, std::span<const MessageFacts* const> facts,
                     const ToolsFacts& tools, json::Arena& arena) {
  return Analysis(request, facts, tools, arena).run();
}

ApiResult<std::string_view> prompt_text(json::Reader& reader, json::Arena& arena,
                                        const ChatRequest& request,
                                        const Conversation& conversation) {
  const auto text_of = [&](size_t i) -> ApiResult<std::string_view> {
    const std::string_view raw = request.messages[i].raw.in(request.body);
    auto message = parse_message(reader, arena, raw, i);
    if (!message) return std::unexpected(std::move(message.error()));
    return message->text;
  };
  if (conversation.last_real_user >= 0) return text_of(conversation.last_real_user);
  std::string all;
  for (size_t i = 0; i < request.messages.size(); ++i) {
    const auto text = text_of(i);
    if (!text) return text;
    if (!all.empty() && !text->empty()) all += ' ';
    all += *text;
  }
  return arena.copy(all);
}

}  // namespace vsr::wire
