#include "wire/prepare.h"

#include <algorithm>
#include <vector>

#include "json/writer.h"
#include "wire/opaque_drop.h"

namespace vsr::wire {
namespace {

using json::Field;
using json::json_string;
using json::ObjectEditor;
using json::Span;

class Preparation {
 public:
  Preparation(const ChatRequest& request, const PrepareOptions& options, json::Reader& reader,
              json::Arena& arena, json::Splicer& splicer)
      : request_(request),
        options_(options),
        reader_(reader),
        arena_(arena),
        splicer_(splicer),
        top_(request.object, request.fields) {}

  ApiResult<void> run() {
    if (request_.model != options_.provider_model) {
      top_.set("model", json_string(options_.provider_model));
    }
    set_reasoning();
    if (options_.ask_for_usage && request_.stream && !request_.include_usage) {
      set_in(request_.stream_options, "stream_options", "include_usage", "true");
    }
    auto done = set_system_prompt();
    drop_foreign();
    top_.apply(splicer_);
    return done;
  }

 private:
  void set_reasoning() {
    const Reasoning& reasoning = options_.reasoning;
    const auto set_kwarg = [&](std::string_view value) {
      set_in(request_.chat_template_kwargs, "chat_template_kwargs", reasoning.name, value);
    };
    switch (reasoning.parameter) {
      case ReasoningParameter::kNone:
        return;
      case ReasoningParameter::kChatTemplateKwargs:
        return set_kwarg(reasoning.on ? "true" : "false");
      case ReasoningParameter::kReasoningEffort:
        break;
    }
    if (reasoning.on && reasoning.effort_in_template_kwargs) {
      set_kwarg(json_string(reasoning.effort));
      top_.remove("reasoning_effort");
      return;
    }
    if (reasoning.on) {
      top_.set("reasoning_effort", json_string(reasoning.effort));
    } else {
      top_.remove("reasoning_effort");
    }
    if (!reasoning.name.empty() && request_.chat_template_kwargs) {
      const ObjectRef& kwargs = *request_.chat_template_kwargs;
      ObjectEditor editor(kwargs.span, kwargs.fields);
      editor.remove(reasoning.name);
      editor.apply(splicer_);
    }
  }

  // Sets one field of an optional top-level object, which is made if it is absent or null.
  void set_in(const std::optional<ObjectRef>& object, std::string_view key, std::string_view field,
              std::string_view value) {
    if (object) {
      ObjectEditor editor(object->span, object->fields);
      editor.set(field, value);
      editor.apply(splicer_);
      return;
    }
    json::JsonWriter w;
    w.begin_object().raw_field(field, value).end_object();
    top_.set(key, w.str());
  }

  ApiResult<void> set_system_prompt() {
    if (options_.system_prompt_mode == SystemPromptMode::kNone) return {};
    const auto& messages = request_.messages;
    const bool has_system = !messages.empty() && (messages[0].role == Role::kSystem ||
                                                  messages[0].role == Role::kDeveloper);
    if (!has_system) {
      add_system_message();
      return {};
    }
    const Span raw = messages[0].raw;
    reader_.open(raw.in(request_.body));
    const auto relative = json::read_fields(reader_, arena_);
    if (reader_.failed()) {
      return std::unexpected(ApiError{400, "invalid_json", "messages[0]", reader_.error()});
    }
    std::vector<Field> fields(relative.begin(), relative.end());
    for (Field& field : fields) {
      field.key_span.offset += raw.offset;
      field.value.offset += raw.offset;
    }
    edit_content(ObjectEditor(raw, fields), fields);
    return {};
  }

  void drop_foreign() {
    for (const ProviderState& state : options_.drop) {
      if (state.message != -1) continue;
      switch (state.item.kind) {
        case OpaqueKind::kPreviousResponseId:
          top_.remove("previous_response_id");
          break;
        case OpaqueKind::kConversation:
          top_.remove("conversation");
          break;
        case OpaqueKind::kServerTool:
          top_.remove("container");
          break;
        default:
          break;
      }
    }
    // A message whose content is edited already holds nothing that a provider made.
    const int32_t first = options_.system_prompt_mode == SystemPromptMode::kNone ? 0 : 1;
    drop_opaque(request_, options_.drop, first, reader_, arena_, splicer_);
  }

  void edit_content(ObjectEditor message, const std::vector<Field>& fields) {
    const auto content = std::find_if(fields.begin(), fields.end(),
                                      [](const Field& field) { return field.key == "content"; });
    const std::string_view value =
        content == fields.end() ? "null" : content->value.in(request_.body);
    const std::string prompt = json_string(options_.system_prompt);
    if (options_.system_prompt_mode == SystemPromptMode::kReplace || value == "null") {
      message.set("content", prompt);
      message.apply(splicer_);
    } else if (value.front() == '"') {
      const bool is_blank = value == "\"\"";
      splicer_.insert(content->value.offset + 1,
                      prompt.substr(1, prompt.size() - 2) + (is_blank ? "" : "\\n\\n"));
    } else {
      const bool is_empty = value.find_first_not_of(" \t\r\n", 1) == value.size() - 1;
      splicer_.insert(content->value.offset + 1,
                      R"({"type":"text","text":)" + prompt + (is_empty ? "}" : "},"));
    }
  }

  void add_system_message() {
    const std::string message =
        R"({"role":"system","content":)" + json_string(options_.system_prompt) + "}";
    if (!request_.messages.empty()) {
      splicer_.insert(request_.messages[0].raw.offset, message + ",");
      return;
    }
    for (const Field& field : request_.fields) {
      if (field.key == "messages") splicer_.insert(field.value.offset + 1, message);
    }
  }

  const ChatRequest& request_;
  const PrepareOptions& options_;
  json::Reader& reader_;
  json::Arena& arena_;
  json::Splicer& splicer_;
  ObjectEditor top_;
};

}  // namespace

ApiResult<void> prepare(const ChatRequest& request, const PrepareOptions& options,
                        json::Reader& reader, json::Arena& arena, json::Splicer& splicer) {
  return Preparation(request, options, reader, arena, splicer).run();
}

}  // namespace vsr::wire
