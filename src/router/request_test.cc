#include "router/request.h"

#include "router/router_fixture.h"

namespace vsr::router {
namespace {

TEST(Request, ReadsThePromptOfTheLastRealUser) {
  const std::string system = message("system", "You may keep a secret.");
  struct Case {
    const char* name;
    std::vector<std::string> messages;
    std::string_view prompt;
    int32_t index;
    bool tool_loop;
  };
  const Case cases[] = {
      {"one message", {user("hello")}, "hello", 0, false},
      {"system text is not the prompt", {system, user("hello")}, "hello", 1, false},
      {"second turn", {user("first"), assistant("ok"), user("second")}, "second", 2, false},
      {"results are not the prompt",
       {user("list files"), call("c1"), result("c1", "a.txt")},
       "list files",
       0,
       true},
      {"two rounds of one loop",
       {user("fix it"), call("c1"), result("c1", "x"), call("c2"), result("c2", "y")},
       "fix it",
       0,
       true},
      {"a call without its result", {user("fix it"), call("c1")}, "fix it", 0, true},
      {"one synthetic message after the result",
       {user("fix it"), call("c1"), result("c1", "x"), user("Continue from the tool output.")},
       "fix it",
       0,
       true},
      {"several of them",
       {user("fix it"), call("c1"), result("c1", "x"), user("Plan: …"), user("Goal: …")},
       "fix it",
       0,
       true},
      {"an old synthetic message stays what it was",
       {user("fix it"), call("c1"), result("c1", "x"), user("Continue."), assistant("done"),
        user("now test it")},
       "now test it",
       5,
       false},
      {"after an answer a user message is real",
       {user("fix it"), call("c1"), result("c1", "x"), assistant("done"), user("thanks")},
       "thanks",
       4,
       false},
      {"synthetic in the middle of a loop",
       {user("fix it"), call("c1"), result("c1", "x"), user("Continue."), call("c2"),
        result("c2", "y")},
       "fix it",
       0,
       true},
      {"tool_result blocks of a user message are results",
       {user("fix it"), call("c1"),
        R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"x"}]})"},
       "fix it",
       0,
       true},
      {"a synthetic message after tool_result blocks",
       {user("fix it"), call("c1"),
        R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"x"}]})",
        user("Continue.")},
       "fix it",
       0,
       true},
      {"envelopes are cut",
       {user("<system-reminder>be brief</system-reminder>Explain tides")},
       "Explain tides",
       0,
       false},
      {"a message of envelopes only is no prompt",
       {user("Explain tides"), assistant("They rise."),
        user("<system-reminder>be brief</system-reminder>")},
       "Explain tides",
       0,
       false},
      {"parts are joined",
       {R"({"role":"user","content":[{"type":"text","text":"one"},{"type":"text","text":"two"}]})"},
       "one two",
       0,
       false},
      {"null content", {user("go"), call("c1"), result("c1", "")}, "go", 0, true},
      {"developer text is the operator's",
       {message("developer", "Use British spelling."), user("write")},
       "write",
       1,
       false},
  };
  for (const Case& c : cases) {
    Request request;
    FactsCache cache;
    const std::string text = body("auto", c.messages);
    ASSERT_TRUE(request.read_chat(text, cache)) << c.name;
    EXPECT_EQ(request.prompt(), c.prompt) << c.name;
    EXPECT_EQ(request.input().prompt_message, c.index) << c.name;
    EXPECT_EQ(request.input().conversation.active_tool_loop, c.tool_loop) << c.name;
  }
}

TEST(Request, WithoutAUserMessageAllOtherTextIsThePrompt) {
  Request request;
  FactsCache cache;
  const std::string text = body("auto", {message("system", "Summarise."), assistant("A story.")});
  ASSERT_TRUE(request.read_chat(text, cache));
  EXPECT_EQ(request.input().prompt_message, -1);
  EXPECT_NE(request.prompt().find("A story."), std::string_view::npos);
  EXPECT_EQ(request.prompt_tokens(), 0U);
}

TEST(Request, CountsTheShapeOfTheConversation) {
  Request request;
  FactsCache cache;
  const std::string text = body("auto",
                                {message("system", "s"), user("u"), call("c1"), result("c1", "r"),
                                 call("c2"), result("c2", "r"), assistant("a"), user("u")},
                                R"(,"tools":[{"type":"function","function":{"name":"run"}},)"
                                R"({"type":"function","function":{"name":"stop"}}])");
  ASSERT_TRUE(request.read_chat(text, cache));
  const signals::ConversationFacts& shape = request.input().conversation;
  const auto count = [&](signals::Role role) {
    return shape.messages_by_role[static_cast<size_t>(role)];
  };
  EXPECT_EQ(count(signals::Role::kSystem), 1U);
  EXPECT_EQ(count(signals::Role::kUser), 2U);
  EXPECT_EQ(count(signals::Role::kAssistant), 3U);
  EXPECT_EQ(count(signals::Role::kTool), 2U);
  EXPECT_EQ(shape.tool_definitions, 2U);
  EXPECT_EQ(shape.assistant_tool_calls, 2U);
  EXPECT_EQ(shape.assistant_tool_cycles, 2U);
  EXPECT_FALSE(shape.active_tool_loop);
  // The tool schemas are read for secrets, as one text after the messages.
  ASSERT_EQ(request.input().messages.size(), 9U);
  EXPECT_EQ(request.input().messages.back().role, signals::Role::kToolSchemas);
}

TEST(Request, AKnownMessageIsNotParsedAgain) {
  Request request;
  FactsCache cache;
  std::vector<std::string> messages = {message("system", "s"), user("one")};
  const std::string first = body("auto", messages);
  ASSERT_TRUE(request.read_chat(first, cache));
  EXPECT_EQ(request.messages_parsed(), 2U);
  messages.push_back(assistant("two"));
  messages.push_back(user("three"));
  const std::string second = body("auto", messages);
  ASSERT_TRUE(request.read_chat(second, cache));
  EXPECT_EQ(request.messages_parsed(), 2U);
  EXPECT_EQ(request.prompt(), "three");
  ASSERT_TRUE(request.read_chat(second, cache));
  EXPECT_EQ(request.messages_parsed(), 0U);
  EXPECT_EQ(request.prompt(), "three");
}

TEST(Request, ReadsTheSameWithAndWithoutACache) {
  const std::string text =
      body("auto", {message("system", "s"), user("one"), call("c1"), result("c1", "x")},
           R"(,"tools":[{"type":"function","function":{"name":"run"}}])");
  FactsCache warm;
  FactsCache none(0);
  Request a;
  Request b;
  ASSERT_TRUE(a.read_chat(text, warm));
  ASSERT_TRUE(a.read_chat(text, warm));
  ASSERT_TRUE(b.read_chat(text, none));
  EXPECT_EQ(b.messages_parsed(), 4U);
  EXPECT_EQ(a.prompt(), b.prompt());
  EXPECT_EQ(a.context_tokens(), b.context_tokens());
  EXPECT_EQ(a.conversation().lineage_hash, b.conversation().lineage_hash);
  EXPECT_EQ(a.tools().names_hash, b.tools().names_hash);
  EXPECT_EQ(a.tools().count, 1U);
}

// signals::Input shows the text source to the signals only.
signals::MessageText text_of(Request& request, size_t message) {
  const Result<signals::MessageText> text = request.input().texts->read(message);
  if (!text) ADD_FAILURE() << text.error().message;
  return text ? *text : signals::MessageText();
}

TEST(Request, GivesEveryTextThatWouldBeSent) {
  Request request;
  FactsCache cache;
  const std::string text =
      body("auto",
           {user("<system-reminder>key one</system-reminder>visible"),
            call("c1", R"({"command":"key two"})"),
            result("c1", "<system-reminder>key three</system-reminder>")},
           R"(,"tools":[{"type":"function","function":{"name":"run","description":"key four"}}])");
  ASSERT_TRUE(request.read_chat(text, cache));
  const signals::MessageText first = text_of(request, 0);
  EXPECT_EQ(first.text, "visible");
  ASSERT_EQ(first.extra.size(), 1U);
  EXPECT_NE(first.extra[0].find("key one"), std::string_view::npos);
  const signals::MessageText second = text_of(request, 1);
  ASSERT_EQ(second.arguments.size(), 1U);
  EXPECT_NE(second.arguments[0].find("key two"), std::string_view::npos);
  EXPECT_EQ(text_of(request, 2).text, "key three");
  const signals::MessageText tools = text_of(request, 3);
  ASSERT_EQ(tools.extra.size(), 1U);
  EXPECT_NE(tools.extra[0].find("key four"), std::string_view::npos);
}

TEST(Request, RefusesWhatItCannotRead) {
  struct Case {
    const char* name;
    std::string text;
    std::string_view code;
    std::string_view param;
  };
  const Case cases[] = {
      {"not JSON", "{", "invalid_json", ""},
      {"no object", "[]", "invalid_type", ""},
      {"no messages", R"({"model":"auto"})", "missing_required_parameter", "messages"},
      {"twice the model", R"({"model":"a","model":"b","messages":[]})", "duplicate_key", "model"},
      {"content of a wrong type", R"({"model":"a","messages":[{"role":"user","content":7}]})",
       "invalid_type", "messages[0].content"},
  };
  for (const Case& c : cases) {
    Request request;
    FactsCache cache;
    const auto read = request.read_chat(c.text, cache);
    ASSERT_FALSE(read) << c.name;
    EXPECT_EQ(read.error().status, 400) << c.name;
    EXPECT_EQ(read.error().code, c.code) << c.name;
    EXPECT_EQ(read.error().param, c.param) << c.name;
  }
}

TEST(Request, IsReusableAfterAnError) {
  Request request;
  FactsCache cache;
  ASSERT_FALSE(request.read_chat("{", cache));
  const std::string text = body("auto", {user("hello")});
  ASSERT_TRUE(request.read_chat(text, cache));
  EXPECT_EQ(request.prompt(), "hello");
}

TEST(Request, PassthroughForgetsTheConversationBefore) {
  Request request;
  FactsCache cache;
  const std::string chat = body("auto", {user("hello"), call("c1")});
  ASSERT_TRUE(request.read_chat(chat, cache));
  const std::string text = R"({"model":"small","prompt":"Once upon a time"})";
  ASSERT_TRUE(request.read_passthrough(text));
  EXPECT_EQ(request.chat().model, "small");
  EXPECT_EQ(request.prompt(), "");
  EXPECT_TRUE(request.input().messages.empty());
  EXPECT_FALSE(request.conversation().tool_loop);
  EXPECT_GT(request.context_tokens(), 0U);
}

TEST(Request, EstimatesTokensByScript) {
  struct Case {
    const char* name;
    wire::TextSize size;
    uint64_t least;
    uint64_t most;
  };
  const Case cases[] = {
      {"nothing", {}, 0, 0},
      {"English", {.ascii_bytes = 4200}, 900, 1100},
      {"Chinese", {.cjk_chars = 1000}, 600, 1000},
      {"Cyrillic", {.other_chars = 1000}, 300, 800},
      {"all of it", {.ascii_bytes = 4200, .cjk_chars = 1000, .other_chars = 1000}, 1800, 2900},
  };
  for (const Case& c : cases) {
    EXPECT_GE(estimate_tokens(c.size), c.least) << c.name;
    EXPECT_LE(estimate_tokens(c.size), c.most) << c.name;
  }
}

TEST(Request, TheEstimateCoversEverythingThatWouldBeSent) {
  FactsCache cache;
  const auto tokens = [&](const std::vector<std::string>& messages, std::string_view more = "") {
    Request request;
    const std::string text = body("auto", messages, more);
    EXPECT_TRUE(request.read_chat(text, cache));
    return request.context_tokens();
  };
  const std::string page(4200, 'a');
  const uint64_t small = tokens({user("hello")});
  EXPECT_GE(tokens({message("system", page), user("hello")}), small + 1000);
  EXPECT_GE(tokens({user("hello"), call("c1"), result("c1", page)}), small + 1000);
  EXPECT_GE(tokens({user("hello"), call("c1", page)}), small + 1000);
  EXPECT_GE(tokens({user("hello")},
                   R"(,"tools":[{"type":"function","function":{"name":"run","description":")" +
                       page + R"("}}])"),
            small + 1000);
}

}  // namespace
}  // namespace vsr::router
