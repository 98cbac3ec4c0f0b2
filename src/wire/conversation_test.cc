#include "wire/conversation.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "wire/hash.h"
#include "wire/sample_body.h"

namespace vsr::wire {
namespace {

// A body read through all three levels.
struct Read {
  explicit Read(std::string text) : body(std::move(text)) {
    auto parsed = parse_chat(reader, arena, body);
    EXPECT_TRUE(parsed) << parsed.error().message << body;
    request = *parsed;
    for (size_t i = 0; i < request.messages.size(); ++i) {
      const auto message = parse_message(reader, arena, request.messages[i].raw.in(body), i);
      EXPECT_TRUE(message) << message.error().message;
      facts.push_back(facts_of(*message));
    }
    for (const MessageFacts& f : facts) pointers.push_back(&f);
    tools = facts_of(*parse_tools(reader, arena, request.tools.in(body)));
    conversation = analyse(request, pointers, tools, arena);
  }
  std::string prompt() { return std::string(*prompt_text(reader, arena, request, conversation)); }
  std::string pending() const {
    std::string all;
    for (const auto id : conversation.pending_tool_call_ids) {
      all += (all.empty() ? "" : " ") + std::string(id);
    }
    return all;
  }

  std::string body;
  json::Reader reader;
  json::Arena arena;
  ChatRequest request;
  std::vector<MessageFacts> facts;
  std::vector<const MessageFacts*> pointers;
  ToolsFacts tools;
  Conversation conversation;
};

// Messages in short: "S:text" system, "U:", "A:", "C:id id" assistant with calls, "T:id" its
// result, "M:id" results as user blocks. Separated by "|".
std::string messages_of(std::string_view script) {
  json::JsonWriter w;
  w.begin_array();
  while (!script.empty()) {
    const std::string_view item = script.substr(0, script.find('|'));
    script.remove_prefix(std::min(script.size(), item.size() + 1));
    const char kind = item[0];
    const std::string_view rest = item.substr(2);
    w.begin_object();
    if (kind == 'T') {
      w.field("role", "tool").field("tool_call_id", rest).field("content", "result");
    } else if (kind == 'M') {
      w.field("role", "user").key("content").begin_array().begin_object();
      w.field("type", "tool_result").field("tool_use_id", rest).field("content", "result");
      w.end_object().end_array();
    } else if (kind == 'C') {
      w.field("role", "assistant").null_field("content").key("tool_calls").begin_array();
      for (std::string_view ids = rest; !ids.empty();) {
        const std::string_view id = ids.substr(0, ids.find(' '));
        ids.remove_prefix(std::min(ids.size(), id.size() + 1));
        w.begin_object().field("id", id).field("type", "function").key("function");
        w.begin_object().field("name", "f").field("arguments", "{}").end_object().end_object();
      }
      w.end_array();
    } else {
      w.field("role", kind == 'S' ? "system" : kind == 'U' ? "user" : "assistant");
      w.field("content", rest);
    }
    w.end_object();
  }
  w.end_array();
  return w.take();
}

std::string body_of(std::string_view script, std::string_view more = "") {
  return R"({"model":"auto","messages":)" + messages_of(script) + std::string(more) + "}";
}

TEST(Conversation, ToolLoopAndLastRealUserPrompt) {
  struct Case {
    const char* script;
    bool tool_loop;
    const char* prompt;
    int last_real_user;
    const char* pending;
    unsigned trailing_synthetic;
  };
  const Case cases[] = {
      {"S:sys|U:hello", false, "hello", 1, "", 0},
      {"S:sys", false, "sys", -1, "", 0},
      {"S:sys|A:yes", false, "sys yes", -1, "", 0},
      {"U:", false, "", -1, "", 0},
      {"U:|U:second", false, "second", 1, "", 0},
      {"U:one|U:two", false, "two", 1, "", 0},
      {"U:do|C:c1", true, "do", 0, "c1", 0},
      {"U:do|C:c1|T:c1", true, "do", 0, "c1", 0},
      {"U:do|C:c1|T:c1|U:continue", true, "do", 0, "c1", 1},
      {"U:do|C:c1|T:c1|U:plan|U:goal|U:continue", true, "do", 0, "c1", 3},
      {"U:do|C:c1 c2 c3|T:c1|T:c2|T:c3", true, "do", 0, "c1 c2 c3", 0},
      {"U:do|C:c1 c2 c3|T:c1|T:c3", true, "do", 0, "c1 c3 c2", 0},
      {"U:do|C:c1|T:c1|C:c2|T:c2", true, "do", 0, "c2", 0},
      {"U:do|C:c1|T:c1|U:continue|C:c2|T:c2|U:continue", true, "do", 0, "c2", 1},
      {"U:do|C:c1|T:c1|A:done|U:next", false, "next", 4, "", 0},
      {"U:do|C:c1|T:c1|U:continue|A:done|U:thanks", false, "thanks", 5, "", 0},
      {"U:do|C:c1|T:c1|A:done", false, "do", 0, "", 0},
      // A call that was never answered ends with the next answer.
      {"U:do|C:c1|U:stop|A:ok|U:next", false, "next", 4, "", 0},
      {"U:do|C:c1|U:stop", true, "stop", 2, "c1", 0},
      // After compaction the call itself may be gone.
      {"U:summary|T:c9", true, "summary", 0, "c9", 0},
      {"U:do|C:u1|M:u1", true, "do", 0, "u1", 0},
      {"U:do|C:u1|M:u1|U:<system-reminder>r</system-reminder>", true, "do", 0, "u1", 1},
      {"U:do|C:u1|M:u1|A:done|U:<system-reminder>r</system-reminder>", false, "do", 0, "", 0},
      {"U:<environment_context>e</environment_context>|U:real", false, "real", 1, "", 0},
      {"U:check 登录|C:z1|T:z1|U:请继续", true, "check 登录", 0, "z1", 1},
  };
  for (const Case& c : cases) {
    Read read(body_of(c.script));
    EXPECT_EQ(read.conversation.tool_loop, c.tool_loop) << c.script;
    EXPECT_EQ(read.conversation.last_real_user, c.last_real_user) << c.script;
    EXPECT_EQ(read.prompt(), c.prompt) << c.script;
    EXPECT_EQ(read.pending(), c.pending) << c.script;
    EXPECT_EQ(read.conversation.trailing_synthetic, c.trailing_synthetic) << c.script;
  }
}

// A call that was made and never answered is waited for, and hands nothing over.
TEST(Conversation, CountsTheResultsThatAreDelivered) {
  const std::pair<std::string_view, uint32_t> cases[] = {
      {"U:do|C:c1", 0},
      {"U:do|C:c1|U:stop", 0},
      {"U:do|C:c1|T:c1", 1},
      {"U:do|C:c1|T:c1|U:continue", 1},
      {"U:do|C:c1 c2 c3|T:c1|T:c3", 2},
      {"U:do|C:c1|U:stop|C:c2|T:c2", 1},
      {"U:do|C:c1|T:c1|C:c2|T:c2", 1},
      {"U:do|C:c1|T:c1|A:done|U:next", 0},
      {"U:summary|T:c9", 1},
  };
  for (const auto& [script, results] : cases) {
    Read read(body_of(script));
    EXPECT_EQ(read.conversation.delivered_results, results) << script;
    EXPECT_LE(results, read.conversation.pending_tool_call_ids.size()) << script;
  }
}

TEST(Conversation, OlderFunctionCallsAreMatchedByNumber) {
  const std::string call = R"({"role":"assistant","function_call":{"name":"f","arguments":""}})";
  const std::string result = R"({"role":"function","name":"f","content":"r"})";
  const auto loop = [](const std::string& messages) {
    return Read(R"({"model":"m","messages":[{"role":"user","content":"x"},)" + messages + "]}")
        .conversation.tool_loop;
  };
  EXPECT_TRUE(loop(call));
  EXPECT_TRUE(loop(call + "," + result));
  EXPECT_FALSE(loop(call + "," + result + R"(,{"role":"assistant","content":"done"})"));
}

TEST(Conversation, Counts) {
  Read read(body_of("S:s|U:a|C:c1 c2|T:c1|T:c2|C:c3|T:c3|A:x|U:b|C:c4"));
  const Conversation& c = read.conversation;
  EXPECT_EQ(c.role_counts[static_cast<size_t>(Role::kSystem)], 1u);
  EXPECT_EQ(c.role_counts[static_cast<size_t>(Role::kUser)], 2u);
  EXPECT_EQ(c.role_counts[static_cast<size_t>(Role::kAssistant)], 4u);
  EXPECT_EQ(c.role_counts[static_cast<size_t>(Role::kTool)], 3u);
  EXPECT_EQ(c.tool_calls, 4u);
  EXPECT_EQ(c.tool_call_cycles, 2u);
  EXPECT_EQ(c.real_user_count, 2u);
  EXPECT_EQ(c.first_user, 1);
  EXPECT_EQ(c.open_segment, 8u);
  EXPECT_EQ(c.system_messages, 1u);
}

TEST(Conversation, SaysWhichRequestItGoesOnFrom) {
  const std::pair<std::string_view, uint32_t> cases[] = {{"S:s|U:a", 0},
                                                         {"S:s|U:a|A:x|U:b", 2},
                                                         {"S:s|U:a|C:c1|T:c1", 2},
                                                         {"S:s|U:a|A:x|A:y|U:b", 2},
                                                         {"S:s|U:a|A:x|U:b|A:y", 4},
                                                         {"A:x|U:a", 0}};
  for (const auto& [script, answered] : cases) {
    EXPECT_EQ(Read(body_of(script)).conversation.answered_messages, answered) << script;
  }
}

TEST(Conversation, LineageKnowsTheSameConversationAgain) {
  const std::string tools = R"(,"tools":[{"function":{"name":"f"}}])";
  const auto lineage = [&](std::string_view script, std::string_view more) {
    return Read(body_of(script, more)).conversation.lineage_hash;
  };
  const uint64_t first = lineage("S:sys|U:do", tools);
  EXPECT_EQ(lineage("S:sys|U:do|C:c1|T:c1|U:go on", tools), first);
  EXPECT_EQ(lineage("S:sys|U:<system-reminder>r</system-reminder>|U:do", tools), first);
  EXPECT_EQ(
      lineage("S:sys|U:do", R"(,"tools":[{"cache_control":{},"function":{"name":"f","x":1}}])"),
      first)
      << "the names of the tools count, not their schemas";
  EXPECT_NE(lineage("S:other|U:do", tools), first);
  EXPECT_NE(lineage("S:sys|U:else", tools), first);
  EXPECT_NE(lineage("S:sys|U:do", ""), first);
  EXPECT_NE(lineage("U:do", tools), first);
}

TEST(Conversation, PrefixHashesAgreeAsLongAsTheMessagesDo) {
  Read a(body_of("S:s|U:do|C:c1|T:c1"));
  Read b(body_of("S:s|U:do|C:c1|T:c1|U:go on|A:done"));
  Read c(body_of("S:s|U:do it|C:c1|T:c1"));
  Read with_tools(body_of("S:s|U:do", R"(,"tools":[{"function":{"name":"f"}}])"));
  ASSERT_EQ(a.conversation.prefix_hashes.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(a.conversation.prefix_hashes[i], b.conversation.prefix_hashes[i]);
    EXPECT_EQ(a.conversation.prefix_hashes[i] == c.conversation.prefix_hashes[i], i == 0);
  }
  EXPECT_NE(a.conversation.prefix_hashes[0], with_tools.conversation.prefix_hashes[0]);
}

TEST(Conversation, ProviderStateAndWhereItLies) {
  const std::string thinking =
      R"({"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"S%"}],)"
      R"("tool_calls":[{"id":"c%","function":{"name":"f"}}]},)"
      R"({"role":"tool","tool_call_id":"c%","content":"r"})";
  const auto numbered = [&](char n) {
    std::string out = thinking;
    std::replace(out.begin(), out.end(), '%', n);
    return out;
  };
  Read read(R"({"model":"m","previous_response_id":"p","conversation":"v","container":{"id":"k"},)"
            R"("messages":[{"role":"user","content":"x"},)" +
            numbered('1') +
            R"(,{"role":"assistant","content":"done"},{"role":"user","content":"y"},)" +
            numbered('2') + "]}");
  const auto& state = read.conversation.provider_state;
  ASSERT_EQ(state.size(), 5u);
  EXPECT_EQ(state[0].item.kind, OpaqueKind::kPreviousResponseId);
  EXPECT_EQ(state[0].item.hash, hash_bytes("p"));
  EXPECT_EQ(state[0].message, -1);
  EXPECT_TRUE(state[0].in_open_tool_loop);
  EXPECT_EQ(state[1].item.kind, OpaqueKind::kConversation);
  EXPECT_EQ(state[2].item.kind, OpaqueKind::kServerTool);
  EXPECT_EQ(state[3].item, (OpaqueItem{OpaqueKind::kThinking, hash_bytes("S1")}));
  EXPECT_EQ(state[3].message, 1);
  EXPECT_FALSE(state[3].in_open_tool_loop);
  EXPECT_EQ(state[4].item, (OpaqueItem{OpaqueKind::kThinking, hash_bytes("S2")}));
  EXPECT_EQ(state[4].message, 5);
  EXPECT_TRUE(state[4].in_open_tool_loop);
  EXPECT_EQ(to_string(OpaqueKind::kThoughtSignature), "thought_signature");
}

TEST(Conversation, ThinkingBindsInTheOpenToolLoopOnly) {
  struct Case {
    OpaqueKind kind;
    bool open;
    bool binds;
  };
  using enum OpaqueKind;
  const Case cases[] = {{kThinking, true, true},
                        {kThinking, false, false},
                        {kThoughtSignature, false, true},
                        {kEncryptedContent, false, true},
                        {kItemReference, false, true},
                        {kServerTool, false, true},
                        {kFile, false, true},
                        {kConversation, false, true},
                        {kPreviousResponseId, false, true}};
  for (const Case& c : cases) {
    const ProviderState state{.item = {c.kind, 1}, .message = 0, .in_open_tool_loop = c.open};
    EXPECT_EQ(state.binds(), c.binds) << to_string(c.kind) << c.open;
  }
}

TEST(Conversation, HandlesInTheDefinitionsOfServerTools) {
  struct Case {
    const char* tool;
    OpaqueKind kind;
    const char* handle;  // nullptr: none
  };
  const Case cases[] = {
      {R"({"type":"file_search","vector_store_ids":["vs_1"]})", OpaqueKind::kFile, "vs_1"},
      {R"({"type":"code_interpreter","container":"cntr_1"})", OpaqueKind::kServerTool, "cntr_1"},
      {R"({"type":"code_interpreter","container":{"type":"auto","file_ids":["f_1"]}})",
       OpaqueKind::kFile, "f_1"},
      // Examples in a schema are no handles.
      {R"({"type":"function","function":{"name":"f","parameters":{"examples":[{"file_id":"x"}]}}})",
       OpaqueKind::kFile, nullptr},
      {R"({"name":"f","input_schema":{"default":{"container_id":"x"}}})", OpaqueKind::kFile,
       nullptr}};
  for (const Case& c : cases) {
    Read read(R"({"model":"m","messages":[{"role":"user","content":"x"}],"tools":[)" +
              std::string(c.tool) + "]}");
    const auto& state = read.conversation.provider_state;
    ASSERT_EQ(state.size(), c.handle == nullptr ? 0u : 1u) << c.tool;
    if (c.handle == nullptr) continue;
    EXPECT_EQ(state[0].item, (OpaqueItem{c.kind, hash_bytes(c.handle)})) << c.tool;
    EXPECT_EQ(state[0].message, kInTools);
  }
}

TEST(Conversation, OfALargeBody) {
  Read loop(sample_body(60'000, 3, true));
  EXPECT_TRUE(loop.conversation.tool_loop);
  EXPECT_EQ(loop.prompt(), "Rename the module and fix every caller.");
  EXPECT_EQ(loop.tools.count, 3u);
  Read turn(sample_body(60'000, 3, false));
  EXPECT_FALSE(turn.conversation.tool_loop);
  EXPECT_EQ(turn.prompt(), "Thanks. Now write a changelog entry.");
  EXPECT_EQ(turn.conversation.lineage_hash, loop.conversation.lineage_hash);
}

}  // namespace
}  // namespace vsr::wire
