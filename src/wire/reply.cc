#include "wire/reply.h"

#include "json/writer.h"

namespace vsr::wire {
namespace {

using json::JsonWriter;

void write_usage(JsonWriter& w, const ChatReply& reply) {
  w.key("usage").begin_object();
  w.field("prompt_tokens", reply.prompt_tokens);
  w.field("completion_tokens", reply.completion_tokens);
  w.field("total_tokens", reply.prompt_tokens + reply.completion_tokens);
  w.end_object();
}

void write_head(JsonWriter& w, const ChatReply& reply, std::string_view object) {
  w.field("id", reply.id).field("object", object);
  w.field("created", reply.created_unix_s).field("model", reply.model);
}

enum class Part { kRole, kText, kFinish };

void append_chunk(std::string& out, const ChatReply& reply, Part part) {
  out += "data: ";
  JsonWriter w(out);
  w.begin_object();
  write_head(w, reply, "chat.completion.chunk");
  w.key("choices").begin_array().begin_object().field("index", 0).key("delta").begin_object();
  if (part == Part::kRole) w.field("role", "assistant").field("content", "");
  if (part == Part::kText) w.field("content", reply.text);
  w.end_object().key("finish_reason");
  if (part == Part::kFinish) {
    w.value(reply.finish_reason);
  } else {
    w.null();
  }
  w.end_object().end_array().end_object();
  out += "\n\n";
}

void write_model(JsonWriter& w, const ModelEntry& model) {
  w.begin_object().field("id", model.id).field("object", "model");
  w.field("created", model.created_unix_s).field("owned_by", model.owned_by);
  if (!model.description.empty()) w.field("description", model.description);
  if (model.context_window_tokens > 0) w.field("context_window", model.context_window_tokens);
  w.end_object();
}

}  // namespace

std::string chat_completion(const ChatReply& reply) {
  JsonWriter w;
  w.begin_object();
  write_head(w, reply, "chat.completion");
  w.key("choices").begin_array().begin_object().field("index", 0);
  w.key("message").begin_object().field("role", "assistant").field("content", reply.text);
  w.end_object().field("finish_reason", reply.finish_reason).end_object().end_array();
  write_usage(w, reply);
  w.end_object();
  return w.take();
}

std::string chat_completion_stream(const ChatReply& reply, bool include_usage) {
  std::string out;
  append_chunk(out, reply, Part::kRole);
  if (!reply.text.empty()) append_chunk(out, reply, Part::kText);
  append_chunk(out, reply, Part::kFinish);
  if (include_usage) {
    out += "data: ";
    JsonWriter w(out);
    w.begin_object();
    write_head(w, reply, "chat.completion.chunk");
    w.key("choices").begin_array().end_array();
    write_usage(w, reply);
    w.end_object();
    out += "\n\n";
  }
  out += "data: [DONE]\n\n";
  return out;
}

std::string model_object(const ModelEntry& model) {
  JsonWriter w;
  write_model(w, model);
  return w.take();
}

std::string model_list(std::span<const ModelEntry> models) {
  JsonWriter w;
  w.begin_object().field("object", "list").key("data").begin_array();
  for (const ModelEntry& model : models) write_model(w, model);
  w.end_array().end_object();
  return w.take();
}

}  // namespace vsr::wire
