#include "eval/audit_dialogue.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "json/writer.h"
#include "sim/auditor.h"

namespace vsr::eval {

using json::json_string;

namespace {

std::string text_message(std::string_view role, std::string_view content_json) {
  return fmt::format(R"({{"role":"{}","content":{}}})", role, content_json);
}

// Members by which providers hand their state to a client and want it back, "%" for the text.
constexpr std::string_view kOpaqueShapes[] = {
    R"("extra_content":{"google":{"thought_signature":"%"}})",
    R"("thinking_blocks":[{"type":"thinking","thinking":"step by step","signature":"%"}])",
    R"("thinking_blocks":[{"type":"redacted_thinking","data":"%"}])",
    R"("reasoning_details":[{"type":"reasoning.encrypted","data":"%"}])",
    R"("reasoning_items":[{"type":"reasoning","encrypted_content":"%"}])",
};

std::string opaque_member(size_t shape, std::string_view text) {
  std::string member(kOpaqueShapes[shape]);
  return member.replace(member.find('%'), 1, text);
}

std::string tool_call(std::string_view id, size_t number, std::string_view more) {
  return fmt::format(
      R"({{"id":"{}","type":"function","function":{{"name":"tool_{}","arguments":"{{\"n\":{}}}"}}{}}})",
      id, number % 3, number, more);
}

}  // namespace

Dialogue::Dialogue(std::string name, std::string system, size_t tools, Draws draws)
    : name_(std::move(name)), system_(std::move(system)), tools_(tools), draws_(draws) {}

// A string, or a list of parts of which one may be a cached one.
std::string Dialogue::content(std::string_view text) {
  if (!draws_.percent(40)) return json_string(text);
  const std::string_view mark =
      draws_.percent(50) ? R"(,"cache_control":{"type":"ephemeral"})" : "";
  return fmt::format(R"([{{"type":"text","text":{}{}}}])", json_string(text), mark);
}

void Dialogue::say(std::string_view prompt) {
  std::string text(prompt);
  if (draws_.percent(30)) {
    text = "<system-reminder>Keep to the plan.</system-reminder>\n" + text;
  }
  messages_.push_back(text_message("user", content(text)));
}

void Dialogue::say_private() { say("Write to maria.keller@example.org about it"); }

PlannedAnswer Dialogue::plan(size_t calls, bool with_opaque) {
  PlannedAnswer out;
  const size_t number = answers_++;
  const auto new_item = [&] {
    out.opaque.push_back(
        fmt::format("{}{}-{}-{}", sim::kOpaqueMark, name_, number, out.opaque.size()));
    return out.opaque.back();
  };
  const std::string content =
      calls > 0 && draws_.percent(50) ? "null" : json_string(fmt::format("Step {}.", number));
  std::string message_more;
  if (with_opaque && draws_.percent(60)) {
    message_more = opaque_member(draws_.below(std::size(kOpaqueShapes)), new_item());
  }
  std::vector<std::string> scripted;
  std::vector<std::string> written;
  for (size_t i = 0; i < calls; ++i) {
    const std::string id = fmt::format("call-{}-{}-{}", name_, number, i);
    // Gemini signs the first of several calls.
    const std::string more =
        with_opaque && i == 0 && message_more.empty() ? opaque_member(0, new_item()) : "";
    scripted.push_back(fmt::format(R"({{"id":"{}","name":"tool_{}","arguments":{{"n":{}}}{}}})", id,
                                   i % 3, i,
                                   more.empty() ? "" : fmt::format(R"(,"extra":{{{}}})", more)));
    written.push_back(tool_call(id, i, more.empty() ? "" : "," + more));
    out.call_ids.push_back(id);
  }
  out.script = "{";
  if (content != "null") out.script += fmt::format(R"("content":{},)", content);
  out.script += fmt::format(R"("tool_calls":[{}])", join(scripted, ","));
  if (!message_more.empty()) out.script += fmt::format(R"(,"extra":{{{}}})", message_more);
  out.script += "}";
  out.message = fmt::format(R"({{"role":"assistant","content":{})", content);
  if (!written.empty()) out.message += fmt::format(R"(,"tool_calls":[{}])", join(written, ","));
  if (!message_more.empty()) out.message += "," + message_more;
  out.message += "}";
  return out;
}

void Dialogue::add_results(const std::vector<std::string>& call_ids) {
  for (const std::string& id : call_ids) {
    messages_.push_back(
        fmt::format(R"({{"role":"tool","tool_call_id":"{}","content":{}}})", id,
                    json_string(fmt::format("hello from {}: {} lines", id, draws_.below(500)))));
  }
  if (draws_.percent(30)) {
    messages_.push_back(
        text_message("user", json_string("Continue from the tool output and prove each step.")));
  }
}

Dialogue Dialogue::renamed(std::string name) const {
  Dialogue out = *this;
  out.name_ = std::move(name);
  return out;
}

std::string Dialogue::body(std::string_view model, bool stream, std::string_view cache_key) const {
  std::vector<std::string> tools;
  for (size_t i = 0; i < tools_; ++i) {
    tools.push_back(fmt::format(
        R"({{"type":"function","function":{{"name":"tool_{}","parameters":{{"type":"object"}}}}}})",
        i));
  }
  std::string out = fmt::format(R"({{"model":"{}","messages":[{})", model,
                                text_message("system", json_string(system_)));
  for (const std::string& message : messages_) out += "," + message;
  out += "]";
  if (!tools.empty()) out += fmt::format(R"(,"tools":[{}])", join(tools, ","));
  if (stream) out += R"(,"stream":true,"stream_options":{"include_usage":true})";
  if (!cache_key.empty()) out += fmt::format(R"(,"prompt_cache_key":{})", json_string(cache_key));
  return out + "}";
}

std::string Dialogue::side_request(std::string_view task, bool with_history,
                                   std::string_view cache_key) const {
  Dialogue side(name_, std::string(task), 0, draws_);
  if (with_history) {
    side.messages_ = messages_;
  } else if (!messages_.empty()) {
    side.messages_.push_back(messages_.front());
  }
  side.messages_.push_back(text_message("user", json_string(task)));
  return side.body("auto", false, cache_key);
}

}  // namespace vsr::eval
