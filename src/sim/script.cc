#include "sim/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "base/strings.h"
#include "json/value.h"

namespace vsr::sim {

namespace {

using json::Value;

constexpr std::pair<std::string_view, Fault> kFaults[] = {
    {"close_before_head", Fault::kCloseBeforeHead},
    {"close_after_head", Fault::kCloseAfterHead},
    {"close_mid_stream", Fault::kCloseMidStream},
    {"hang", Fault::kHang},
    {"hang_after_head", Fault::kHangAfterHead},
    {"error_object", Fault::kErrorObject},
    {"empty", Fault::kEmpty},
    {"bad_sse", Fault::kBadSse},
    {"bad_json", Fault::kBadJson},
    {"wrong_content_length", Fault::kWrongContentLength},
    {"no_done", Fault::kNoDone},
};

// A problem with one value: the path below it and what it must be.
struct Problem {
  std::string path;  // ".chunks" or ""
  std::string must;
};
using Checked = std::optional<Problem>;

Checked take_string(const Value& value, std::string& out) {
  if (!value.is_string()) return Problem{"", "be a string"};
  out = value.as_string();
  return {};
}

Checked take_int(const Value& value, int64_t min, int64_t max, int64_t& out) {
  const int64_t number = value.as_int(min - 1);
  if (value.kind() != json::Kind::kNumber || number < min || number > max) {
    return Problem{"", fmt::format("be a number from {} to {}", min, max)};
  }
  out = number;
  return {};
}

Checked take_object(const Value& value, std::string& out) {
  if (!value.is_object()) return Problem{"", "be an object"};
  out = value.dump();
  return {};
}

template <typename T>
struct Field {
  std::string_view name;
  std::function<Checked(const Value&, T&)> take;
};

template <typename T>
Checked take_fields(const Value& value, std::span<const Field<T>> fields, T& out) {
  if (!value.is_object()) return Problem{"", "be an object"};
  for (const auto& [name, field_value] : value.fields()) {
    const auto field = std::ranges::find(fields, std::string_view(name), &Field<T>::name);
    if (field == fields.end()) {
      std::vector<std::string> known;
      for (const Field<T>& each : fields) known.emplace_back(each.name);
      return Problem{"." + name, "not be there; known are " + join(known, ", ")};
    }
    if (Checked problem = field->take(field_value, out)) {
      problem->path = "." + name + problem->path;
      return problem;
    }
  }
  return {};
}

const Field<ScriptedToolCall> kToolCallFields[] = {
    {"id", [](const Value& v, ScriptedToolCall& c) { return take_string(v, c.id); }},
    {"name", [](const Value& v, ScriptedToolCall& c) { return take_string(v, c.name); }},
    {"arguments",
     [](const Value& v, ScriptedToolCall& c) -> Checked {
       if (!v.is_string() && !v.is_object()) return Problem{"", "be a string or an object"};
       c.arguments = v.is_string() ? std::string(v.as_string()) : v.dump();
       return {};
     }},
    {"extra", [](const Value& v, ScriptedToolCall& c) { return take_object(v, c.extra); }},
};

Checked take_tool_calls(const Value& value, Answer& answer) {
  if (!value.is_array()) return Problem{"", "be an array"};
  for (size_t i = 0; i < value.size(); ++i) {
    ScriptedToolCall call;
    Checked problem = take_fields<ScriptedToolCall>(value[i], kToolCallFields, call);
    if (!problem && call.name.empty()) problem = Problem{".name", "be a string that is not empty"};
    if (problem) {
      problem->path = fmt::format("[{}]{}", i, problem->path);
      return problem;
    }
    answer.tool_calls.push_back(std::move(call));
  }
  return {};
}

Checked take_fault(const Value& value, Answer& answer) {
  std::vector<std::string> known;
  for (const auto& [name, fault] : kFaults) {
    if (value.is_string() && value.as_string() == name) {
      answer.fault = fault;
      return {};
    }
    known.emplace_back(name);
  }
  return Problem{"", "be one of " + join(known, ", ")};
}

Checked take_usage(const Value& value, Answer& answer) {
  if (value.is_string() && value.as_string() == "none") {
    answer.usage_kind = UsageKind::kNone;
    return {};
  }
  if (!value.is_object()) return Problem{"", "be an object or \"none\""};
  answer.usage_kind = UsageKind::kGiven;
  answer.usage = value.dump();
  return {};
}

Checked take_headers(const Value& value, Answer& answer) {
  if (!value.is_object()) return Problem{"", "be an object"};
  for (const auto& [name, text] : value.fields()) {
    if (!text.is_string()) return Problem{"." + name, "be a string"};
    answer.headers.emplace_back(name, text.as_string());
  }
  return {};
}

Checked take_status(const Value& value, Answer& answer) {
  int64_t status = 0;
  if (Checked problem = take_int(value, 200, 599, status)) return problem;
  answer.status = static_cast<int>(status);
  return {};
}

const Field<Answer> kAnswerFields[] = {
    {"content",
     [](const Value& v, Answer& a) {
       a.has_content = true;
       return take_string(v, a.content);
     }},
    {"reasoning", [](const Value& v, Answer& a) { return take_string(v, a.reasoning); }},
    {"tool_calls", take_tool_calls},
    {"extra", [](const Value& v, Answer& a) { return take_object(v, a.extra); }},
    {"status", take_status},
    {"error_body",
     [](const Value& v, Answer& a) -> Checked {
       a.has_error_body = true;
       a.error_body = v.is_string() ? std::string(v.as_string()) : v.dump();
       return {};
     }},
    {"headers", take_headers},
    {"chunks", [](const Value& v, Answer& a) { return take_int(v, 1, kChunksMax, a.chunks); }},
    {"chunk_delay_ms",
     [](const Value& v, Answer& a) { return take_int(v, 0, kDelayMsMax, a.chunk_delay_ms); }},
    {"first_byte_delay_ms",
     [](const Value& v, Answer& a) { return take_int(v, 0, kDelayMsMax, a.first_byte_delay_ms); }},
    {"delay_ms", [](const Value& v, Answer& a) { return take_int(v, 0, kDelayMsMax, a.delay_ms); }},
    {"usage", take_usage},
    {"fault", take_fault},
};

std::unexpected<Error> bad(std::string message) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), ErrorSource::kClient);
}

}  // namespace

Result<std::vector<Answer>> parse_script(std::string_view body) {
  const Result<Value> script = Value::parse(body);
  if (!script) return bad("the script is not JSON: " + script.error().message);
  const Value& list = (*script)["answers"];
  if (!list.is_array()) return bad("answers must be an array");
  if (list.size() > kAnswersMax) {
    return bad(fmt::format("answers must have at most {} items", kAnswersMax));
  }
  std::vector<Answer> answers;
  for (size_t i = 0; i < list.size(); ++i) {
    Answer answer;
    if (const Checked problem = take_fields<Answer>(list[i], kAnswerFields, answer)) {
      return bad(fmt::format("answers[{}]{} must {}", i, problem->path, problem->must));
    }
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace vsr::sim
