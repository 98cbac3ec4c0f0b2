#include "sim/reply.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "json/writer.h"
#include "sim/bytes.h"
#include "wire/hash.h"

namespace vsr::sim {

namespace {

using json::JsonWriter;

constexpr int64_t kContextTokens = 262'144;

std::string_view error_type(int status) {
  switch (status) {
    case 400:
      return "BadRequestError";
    case 404:
      return "NotFoundError";
    case 429:
      return "RateLimitError";
    case 503:
      return "ServiceUnavailableError";
    default:
      return status < 500 ? "BadRequestError" : "InternalServerError";
  }
}

std::string_view finish_reason(const Reply& reply) {
  return reply.tool_calls.empty() ? "stop" : "tool_calls";
}

// The fields of a JSON object, into the object that is being written.
void write_fields(JsonWriter& writer, const std::string& object) {
  if (object.empty()) return;
  const auto value = json::Value::parse(object);
  if (!value) return;
  for (const auto& [name, field] : value->fields()) {
    writer.key(name);
    field.write(writer);
  }
}

void begin_answer(JsonWriter& writer, const Reply& reply, std::string_view object) {
  writer.begin_object().field("id", reply.id).field("object", object);
  writer.field("created", reply.created_unix_s).field("model", reply.model);
}

void write_tool_call(JsonWriter& writer, const ScriptedToolCall& call, std::string_view arguments) {
  writer.field("id", call.id).field("type", "function").key("function").begin_object();
  writer.field("name", call.name).field("arguments", arguments).end_object();
  write_fields(writer, call.extra);
}

std::vector<std::string_view> pieces_of(std::string_view text, int64_t chunks) {
  const auto words = std::ranges::count(text, ' ') + 1;
  return cut(text, static_cast<size_t>(chunks > 0 ? chunks : words));
}

// One event of a stream whose only choice is `choice` (the fields after its index).
std::string chunk(const Reply& reply, std::string_view choice) {
  JsonWriter writer;
  begin_answer(writer, reply,
               reply.api == Api::kChat ? "chat.completion.chunk" : "text_completion");
  writer.raw_field("choices", choice).end_object();
  return writer.take();
}

// The choice with a delta written by `write_delta`.
template <typename WriteDelta>
std::string delta_choice(WriteDelta&& write_delta) {
  JsonWriter writer;
  writer.begin_array().begin_object().field("index", 0).key("delta").begin_object();
  write_delta(writer);
  writer.end_object().null_field("finish_reason").end_object().end_array();
  return writer.take();
}

std::string text_choice(std::string_view text, std::string_view finish) {
  JsonWriter writer;
  writer.begin_array().begin_object().field("index", 0).field("text", text);
  writer.null_field("logprobs").key("finish_reason");
  finish.empty() ? writer.null() : writer.value(finish);
  writer.end_object().end_array();
  return writer.take();
}

void add_tool_call(const Reply& reply, size_t index, std::vector<std::string>& events) {
  const ScriptedToolCall& call = reply.tool_calls[index];
  const auto add = [&](auto&& write_call) {
    events.push_back(chunk(reply, delta_choice([&](JsonWriter& delta) {
                             delta.key("tool_calls").begin_array().begin_object();
                             delta.field("index", index);
                             write_call(delta);
                             delta.end_object().end_array();
                           })));
  };
  add([&](JsonWriter& delta) { write_tool_call(delta, call, ""); });
  for (const std::string_view part : cut(call.arguments, 2)) {
    add([&](JsonWriter& delta) {
      delta.key("function").begin_object().field("arguments", part).end_object();
    });
  }
}

void add_chat_events(const Reply& reply, std::vector<std::string>& events) {
  events.push_back(chunk(reply, delta_choice([&](JsonWriter& delta) {
                           delta.field("role", "assistant").field("content", "");
                           write_fields(delta, reply.extra);
                         })));
  for (const auto& [name, text] :
       {std::pair{"reasoning", &reply.reasoning}, std::pair{"content", &reply.content}}) {
    for (const std::string_view part : pieces_of(*text, reply.chunks)) {
      events.push_back(
          chunk(reply, delta_choice([&](JsonWriter& delta) { delta.field(name, part); })));
    }
  }
  for (size_t i = 0; i < reply.tool_calls.size(); ++i) add_tool_call(reply, i, events);
  JsonWriter last;
  last.begin_array().begin_object().field("index", 0).raw_field("delta", "{}");
  last.field("finish_reason", finish_reason(reply)).end_object().end_array();
  events.push_back(chunk(reply, last.take()));
}

// Deterministic, of length one, equal for equal texts.
std::array<float, kVectorSize> vector_of(std::string_view text) {
  std::array<float, kVectorSize> vector{};
  uint64_t hash = wire::hash_bytes(text);
  float squares = 0;
  for (float& number : vector) {
    hash = wire::fold(hash, 1);
    number = static_cast<float>(hash >> 40) / static_cast<float>(1u << 24) - 0.5F;
    squares += number * number;
  }
  const float length = std::sqrt(squares);
  for (float& number : vector) number /= length;
  return vector;
}

}  // namespace

std::string message_json(const Reply& reply) {
  JsonWriter writer;
  writer.begin_object().field("role", "assistant");
  const bool says_nothing =
      reply.content.empty() && (!reply.reasoning.empty() || !reply.tool_calls.empty());
  says_nothing ? writer.null_field("content") : writer.field("content", reply.content);
  if (!reply.reasoning.empty()) writer.field("reasoning", reply.reasoning);
  if (!reply.tool_calls.empty()) {
    writer.key("tool_calls").begin_array();
    for (const ScriptedToolCall& call : reply.tool_calls) {
      writer.begin_object();
      write_tool_call(writer, call, call.arguments);
      writer.end_object();
    }
    writer.end_array();
  }
  write_fields(writer, reply.extra);
  writer.end_object();
  return writer.take();
}

std::string whole_body(const Reply& reply) {
  JsonWriter writer;
  if (reply.api == Api::kChat) {
    begin_answer(writer, reply, "chat.completion");
    writer.key("choices").begin_array().begin_object().field("index", 0);
    writer.raw_field("message", message_json(reply)).null_field("logprobs");
    writer.field("finish_reason", finish_reason(reply)).end_object().end_array();
  } else {
    begin_answer(writer, reply, "text_completion");
    writer.raw_field("choices", text_choice(reply.content, "stop"));
  }
  if (!reply.usage.empty()) writer.raw_field("usage", reply.usage);
  writer.end_object();
  return writer.take();
}

std::vector<std::string> stream_data(const Reply& reply, bool include_usage) {
  std::vector<std::string> events;
  if (reply.api == Api::kChat) {
    add_chat_events(reply, events);
  } else {
    for (const std::string_view part : pieces_of(reply.content, reply.chunks)) {
      events.push_back(chunk(reply, text_choice(part, "")));
    }
    events.push_back(chunk(reply, text_choice("", "stop")));
  }
  if (include_usage && !reply.usage.empty()) {
    JsonWriter writer;
    begin_answer(writer, reply,
                 reply.api == Api::kChat ? "chat.completion.chunk" : "text_completion");
    writer.raw_field("choices", "[]").raw_field("usage", reply.usage).end_object();
    events.push_back(writer.take());
  }
  events.emplace_back("[DONE]");
  return events;
}

std::string embeddings_body(const Reply& reply, const GenerationRequest& request) {
  static_assert(std::endian::native == std::endian::little, "base64 vectors are little-endian");
  JsonWriter writer;
  begin_answer(writer, reply, "list");
  writer.key("data").begin_array();
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    const std::array<float, kVectorSize> vector = vector_of(request.inputs[i]);
    writer.begin_object().field("index", i).field("object", "embedding").key("embedding");
    if (request.base64_vectors) {
      std::string bytes(sizeof(vector), '\0');
      std::memcpy(bytes.data(), vector.data(), sizeof(vector));
      writer.value(base64(bytes));
    } else {
      writer.begin_array();
      for (const float number : vector) writer.value(static_cast<double>(number));
      writer.end_array();
    }
    writer.end_object();
  }
  writer.end_array();
  if (!reply.usage.empty()) writer.raw_field("usage", reply.usage);
  writer.end_object();
  return writer.take();
}

std::string error_json(int status, std::string_view message, std::string_view param) {
  JsonWriter writer;
  writer.begin_object().key("error").begin_object().field("message", message);
  writer.field("type", error_type(status)).key("param");
  param.empty() ? writer.null() : writer.value(param);
  writer.field("code", status).end_object().end_object();
  return writer.take();
}

std::string models_body(std::span<const std::string> models, int64_t created_unix_s) {
  JsonWriter writer;
  writer.begin_object().field("object", "list").key("data").begin_array();
  for (const std::string& model : models) {
    writer.begin_object().field("id", model).field("object", "model");
    writer.field("created", created_unix_s).field("owned_by", "vllm");
    writer.field("root", models.front()).null_field("parent");
    writer.field("max_model_len", kContextTokens).end_object();
  }
  writer.end_array().end_object();
  return writer.take();
}

}  // namespace vsr::sim
