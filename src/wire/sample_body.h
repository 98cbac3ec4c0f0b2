#pragma once

// Made-up request bodies of agent shape for tests and benchmarks of this room: a long system text,
// tool schemas, then turns of a call, its result and a synthetic prompt. Header only, so that the
// library does not carry it.

#include <algorithm>
#include <string>

#include "json/writer.h"

namespace vsr::wire {

inline void write_tool(json::JsonWriter& w, int number) {
  w.begin_object().field("type", "function").key("function").begin_object();
  w.field("name", "tool_" + std::to_string(number));
  w.field("description",
          "Reads part of a file of the workspace. Lines are numbered from one. Asks for permission "
          "where the path lies outside the project. Long output is cut in the middle.");
  w.key("parameters").begin_object().field("type", "object");
  w.field("additionalProperties", false).key("properties").begin_object();
  for (const char* const name : {"path", "offset", "limit", "pattern", "recursive"}) {
    w.key(name).begin_object().field("type", "string");
    w.field("description", std::string("The ") + name + " to use for this call.").end_object();
  }
  w.end_object().key("required").begin_array().value("path").end_array();
  w.end_object().end_object().end_object();
}

// A body of about `bytes` bytes whose last message is a real user prompt, or the synthetic one
// after a tool result if `in_tool_loop`.
inline std::string sample_body(size_t bytes, int tools, bool in_tool_loop) {
  json::JsonWriter w;
  const auto message = [&](const char* role, std::string_view content) {
    w.begin_object().field("role", role).field("content", content).end_object();
  };
  w.begin_object().field("model", "auto").key("messages").begin_array();
  std::string system = "You work in the user's repository.\n";
  while (system.size() < bytes / 20) {
    system += "- Prefer \"small\" steps; keep secrets out of logs.\n";
  }
  message("system", system);
  message("user", "Rename the module and fix every caller.");
  const size_t tail_bytes = 400 + static_cast<size_t>(tools) * 900;
  for (int turn = 0; w.str().size() + tail_bytes < bytes; ++turn) {
    const std::string id = "call_" + std::to_string(turn);
    w.begin_object().field("role", "assistant").null_field("content");
    w.key("tool_calls").begin_array().begin_object().field("id", id).field("type", "function");
    w.key("function").begin_object().field("name", "tool_1");
    w.field("arguments", R"({"path":"src/part)" + std::to_string(turn) + R"(.py","offset":0})");
    w.end_object().end_object().end_array().end_object();
    std::string result;
    while (result.size() < std::min<size_t>(2000, bytes / 8)) {
      result += "def step_" + std::to_string(result.size()) + "(x):\n    return \"value\" + x\n";
    }
    w.begin_object().field("role", "tool").field("tool_call_id", id);
    w.field("content", result).end_object();
    message("user", "Continue with the results above.");
  }
  if (!in_tool_loop) {
    message("assistant", "All callers are fixed.");
    message("user", "Thanks. Now write a changelog entry.");
  }
  w.end_array();
  if (tools > 0) {
    w.key("tools").begin_array();
    for (int i = 0; i < tools; ++i) write_tool(w, i);
    w.end_array();
  }
  w.field("stream", true).key("stream_options").begin_object();
  w.field("include_usage", true).end_object().field("cache_salt", "c-17").end_object();
  return w.take();
}

}  // namespace vsr::wire
