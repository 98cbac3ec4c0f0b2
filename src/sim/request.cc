#include "sim/request.h"

#include <fmt/format.h>

#include "sim/auditor.h"

namespace vsr::sim {

namespace {

using json::Value;

constexpr std::string_view kEnd = "<|end|>\n";

std::string opening(std::string_view role) { return fmt::format("<|{}|>\n", role); }

void render_content(const Value& content, std::string& out) {
  if (content.is_string()) {
    out += content.as_string();
    return;
  }
  for (const Value& part : content.items()) {
    const Value& text = part["text"];
    out += text.is_string() ? std::string(text.as_string()) : part.dump();
  }
}

// Without the opening. Ids are left out, as chat templates do.
void render_message(const Value& message, std::string& out) {
  render_content(message["content"], out);
  for (const Value& call : message["tool_calls"].items()) {
    const Value& function = call["function"];
    out += fmt::format("<|call|>{}\n", function["name"].as_string());
    out += function["arguments"].as_string();
  }
  out += kEnd;
}

Refusal wrong(std::string param, std::string must) {
  return {400, fmt::format("{} must {}", param, must), param};
}

std::expected<void, Refusal> read_chat(const Value& body, GenerationRequest& request) {
  const Value& messages = body["messages"];
  if (!messages.is_array()) return std::unexpected(wrong("messages", "be an array"));
  if (const Value& tools = body["tools"]; tools.size() > 0) {
    request.prompt += opening("tools");
    request.prompt += tools.dump();
    request.prompt += kEnd;
  }
  for (size_t i = 0; i < messages.size(); ++i) {
    const Value& message = messages[i];
    const Value& role = message["role"];
    if (!role.is_string()) {
      return std::unexpected(wrong(fmt::format("messages[{}].role", i), "be a string"));
    }
    if (role.as_string() == "assistant") {
      request.tool_results.clear();
    } else if (const Value& id = message["tool_call_id"]; id.is_string()) {
      request.tool_results.emplace_back(id.as_string());
    }
    request.prompt += opening(role.as_string());
    render_message(message, request.prompt);
  }
  request.prompt += opening("assistant");
  return {};
}

// A string, an array of strings, or token numbers in one of two ways.
std::expected<std::vector<std::string>, Refusal> read_texts(const Value& value,
                                                            const std::string& param) {
  std::vector<std::string> texts;
  if (value.is_string()) {
    texts.emplace_back(value.as_string());
  } else if (value.is_array() && value.size() > 0 && value[0].is_number()) {
    texts.push_back(value.dump());
  } else {
    for (const Value& item : value.items()) {
      texts.push_back(item.is_string() ? std::string(item.as_string()) : item.dump());
    }
  }
  if (texts.empty()) {
    return std::unexpected(wrong(param, "be a string or an array that is not empty"));
  }
  return texts;
}

}  // namespace

std::expected<GenerationRequest, Refusal> read_request(Api api, std::string_view text) {
  const Result<Value> body = Value::parse(text);
  if (!body) return std::unexpected(Refusal{400, "JSON decode error: " + body.error().message, ""});
  if (!body->is_object()) return std::unexpected(Refusal{400, "the body must be an object", ""});
  GenerationRequest request;
  request.api = api;
  for (const auto& [name, kind] :
       {std::pair{"model", json::Kind::kString}, std::pair{"stream", json::Kind::kBool},
        std::pair{"cache_salt", json::Kind::kString}}) {
    const Value& value = (*body)[name];
    if (!value.is_null() && value.kind() != kind) {
      return std::unexpected(wrong(name, fmt::format("be {}", json::with_article(kind))));
    }
  }
  request.model = (*body)["model"].as_string();
  request.stream = (*body)["stream"].as_bool();
  request.include_usage = (*body)["stream_options"]["include_usage"].as_bool();
  request.cache_salt = (*body)["cache_salt"].as_string();
  if (api == Api::kChat) {
    if (const auto chat = read_chat(*body, request); !chat) return std::unexpected(chat.error());
    request.opaque_items = find_opaque(text);
    return request;
  }
  const std::string param = api == Api::kEmbeddings ? "input" : "prompt";
  auto texts = read_texts((*body)[param], param);
  if (!texts) return std::unexpected(texts.error());
  for (const std::string& one : *texts) request.prompt += one;
  if (api == Api::kEmbeddings) {
    request.stream = false;
    request.inputs = std::move(*texts);
    request.base64_vectors = (*body)["encoding_format"].as_string() == "base64";
  }
  return request;
}

std::string render_assistant(const Value& message) {
  std::string out;
  render_message(message, out);
  return out;
}

}  // namespace vsr::sim
