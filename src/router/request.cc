#include "router/request.h"

#include <algorithm>

#include "wire/envelope.h"
#include "wire/hash.h"

namespace vsr::router {

namespace {

constexpr double kAsciiBytesPerToken = 4.2;
constexpr double kTokensPerCjkChar = 0.75;
constexpr double kTokensPerOtherChar = 0.55;
constexpr uint64_t kTokensPerMessage = 4;  // role and separators of a chat template

signals::Role signal_role(const wire::MessageFacts& facts) {
  if (facts.is_tool_result) return signals::Role::kTool;
  switch (facts.role) {
    case wire::Role::kSystem:
      return signals::Role::kSystem;
    case wire::Role::kDeveloper:
      return signals::Role::kDeveloper;
    case wire::Role::kUser:
      return signals::Role::kUser;
    case wire::Role::kAssistant:
      return signals::Role::kAssistant;
    case wire::Role::kTool:
    case wire::Role::kFunction:
      return signals::Role::kTool;
    case wire::Role::kUnknown:
      break;
  }
  return signals::Role::kOther;
}

// Top-level fields that are read in another way, or hold token ids.
bool is_read_apart(std::string_view key) {
  return key == "model" || key == "messages" || key == "tools" || key == "logit_bias";
}
bool holds_text(std::string_view json) {
  return json.starts_with('"') || json.starts_with('[') || json.starts_with('{');
}
// Identifiers whose names sound like those of secrets.
bool is_cache_key(std::string_view key) {
  return key == "prompt_cache_key" || key == "promptCacheKey";
}

}  // namespace

uint64_t estimate_tokens(const wire::TextSize& size) {
  return static_cast<uint64_t>(size.ascii_bytes / kAsciiBytesPerToken +
                               size.cjk_chars * kTokensPerCjkChar +
                               size.other_chars * kTokensPerOtherChar + 0.5);
}

Request::Request() = default;
Request::~Request() = default;

wire::ApiResult<void> Request::read_passthrough(std::string_view body) {
  arena_.reset();
  facts_.clear();
  fact_pointers_.clear();
  messages_.clear();
  messages_parsed_ = 0;
  conversation_ = {};
  tools_ = {};
  input_ = {};
  auto parsed = wire::parse_passthrough(reader_, arena_, body);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  chat_ = *parsed;
  input_.context_tokens = static_cast<uint64_t>(body.size() / kAsciiBytesPerToken);
  return {};
}

wire::ApiResult<void> Request::read_chat(std::string_view body, FactsCache& cache) {
  arena_.reset();
  auto parsed = wire::parse_chat(reader_, arena_, body);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  chat_ = *parsed;
  if (auto read = read_facts(cache); !read) return read;
  conversation_ = wire::analyse(chat_, fact_pointers_, tools_, arena_);
  auto prompt = wire::prompt_text(reader_, arena_, chat_, conversation_);
  if (!prompt) return std::unexpected(std::move(prompt.error()));
  fill_input();
  input_.prompt = *prompt;
  return read_metadata();
}

wire::ApiResult<void> Request::read_metadata() {
  metadata_.clear();
  const auto field = std::ranges::find(chat_.fields, "metadata", &json::Field::key);
  if (field == chat_.fields.end()) return {};
  if (!reader_.open(field->value.in(chat_.body)) || reader_.kind() != json::Kind::kObject) {
    return {};  // null: the body was read before
  }
  reader_.begin_object();
  std::string_view key;
  while (metadata_.size() < kMetadataFieldsMax && reader_.next_field(key)) {
    signals::Attribute& one = metadata_.emplace_back();
    one.name = reader_.keep_key(key, arena_);
    if (reader_.kind() == json::Kind::kString) {
      reader_.read_string(arena_, one.value);
    } else {
      one.value = reader_.skip().in(reader_.text());
    }
  }
  if (reader_.failed()) {
    return std::unexpected(wire::ApiError{400, "invalid_json", "metadata", reader_.error()});
  }
  input_.metadata = metadata_;
  return {};
}

wire::ApiResult<void> Request::read_facts(FactsCache& cache) {
  facts_.clear();
  fact_pointers_.clear();
  messages_parsed_ = 0;
  tools_ = {};
  for (size_t i = 0; i < chat_.messages.size(); ++i) {
    const wire::MessageRef& ref = chat_.messages[i];
    std::shared_ptr<const wire::MessageFacts> facts = cache.find_message(ref.raw_hash);
    if (!facts) {
      auto message = wire::parse_message(reader_, arena_, ref.raw.in(chat_.body), i);
      if (!message) return std::unexpected(std::move(message.error()));
      facts = cache.put_message(ref.raw_hash, wire::facts_of(*message));
      ++messages_parsed_;
    }
    fact_pointers_.push_back(facts.get());
    facts_.push_back(std::move(facts));
  }
  if (chat_.tools.empty()) return {};
  if (const wire::ToolsFacts* known = cache.find_tools(chat_.tools_raw_hash)) {
    tools_ = *known;
    return {};
  }
  auto tools = wire::parse_tools(reader_, arena_, chat_.tools.in(chat_.body));
  if (!tools) return std::unexpected(std::move(tools.error()));
  tools_ = wire::facts_of(*tools);
  cache.put_tools(chat_.tools_raw_hash, tools_);
  return {};
}

void Request::fill_input() {
  input_ = {};
  messages_.clear();
  signals::ConversationFacts& shape = input_.conversation;
  for (size_t i = 0; i < fact_pointers_.size(); ++i) {
    const wire::MessageFacts& facts = *fact_pointers_[i];
    // What read() gives depends on every byte of the message, the envelopes included.
    messages_.push_back({signal_role(facts), chat_.messages[i].raw_hash, facts.has_others});
    ++shape.messages_by_role[static_cast<size_t>(messages_.back().role)];
  }
  add_fields();
  shape.tool_definitions = tools_.count;
  shape.assistant_tool_calls = conversation_.tool_calls;
  shape.assistant_tool_cycles = conversation_.tool_call_cycles;
  shape.active_tool_loop = conversation_.tool_loop;
  input_.messages = messages_;
  input_.texts = this;
  input_.prompt_message = conversation_.last_real_user;
  input_.context_tokens = estimate_tokens(conversation_.size) +
                          kTokensPerMessage * fact_pointers_.size() +
                          static_cast<uint64_t>(tools_.bytes / kAsciiBytesPerToken);
}

void Request::add_fields() {
  fields_.clear();
  schemas_.clear();
  documents_.clear();
  uint64_t fields_hash = 0;
  uint64_t documents_hash = 0;
  uint64_t schemas_hash = chat_.tools_raw_hash;
  if (!chat_.tools.empty()) schemas_.push_back(chat_.tools.in(chat_.body));
  for (const json::Field& field : chat_.fields) {
    const std::string_view value = field.value.in(chat_.body);
    if (is_read_apart(field.key) || !holds_text(value)) continue;
    if (field.key == "functions") {
      schemas_.push_back(value);
      schemas_hash = wire::fold(schemas_hash, wire::hash_bytes(value));
      continue;
    }
    if (field.key == "documents") {
      documents_.push_back({{}, value});
      documents_hash = wire::fold(documents_hash, wire::hash_bytes(value));
      continue;
    }
    const std::string_view key = is_cache_key(field.key) ? std::string_view() : field.key;
    fields_.push_back({key, value});
    fields_hash = wire::fold(fields_hash, wire::hash_bytes(key));
    fields_hash = wire::fold(fields_hash, wire::hash_bytes(value));
  }
  // What is retrieved for the model is read as what a tool has fetched for it.
  if (!documents_.empty()) messages_.push_back({signals::Role::kTool, documents_hash});
  if (!fields_.empty()) messages_.push_back({signals::Role::kFields, fields_hash});
  if (!schemas_.empty()) messages_.push_back({signals::Role::kToolSchemas, schemas_hash});
}

uint64_t Request::prompt_tokens() const {
  if (conversation_.last_real_user < 0) return 0;
  return estimate_tokens(wire::text_size(input_.prompt));
}

Result<signals::MessageText> Request::read(size_t message) {
  signals::MessageText out;
  if (messages_[message].role == signals::Role::kToolSchemas) {
    out.extra = schemas_;
    return out;
  }
  if (messages_[message].role == signals::Role::kFields) {
    out.fields = wire::text_of(reader_, arena_, fields_);
    return out;
  }
  if (message >= chat_.messages.size()) {
    out.text = wire::text_of(reader_, arena_, documents_);
    return out;
  }
  auto parsed =
      wire::parse_message(reader_, arena_, chat_.messages[message].raw.in(chat_.body), message);
  if (!parsed)
    return fail(ErrorCode::kInvalidArgument, parsed.error().message, ErrorSource::kClient);
  out.text = parsed->text;
  const auto arguments = arena_.array<std::string_view>(parsed->tool_calls.size());
  for (size_t i = 0; i < arguments.size(); ++i) arguments[i] = parsed->tool_calls[i].arguments;
  out.arguments = arguments;
  // Envelopes are cut from `text`, and what was cut is sent all the same.
  size_t sent = 0;
  for (const std::string_view text : parsed->texts) sent += text.size();
  if (sent > out.text.size()) out.extra = parsed->texts;
  // A page that an agent has fetched can write the tags of a harness as well as the harness.
  const bool is_result = parsed->role == wire::Role::kTool || parsed->role == wire::Role::kFunction;
  if (is_result && parsed->texts.size() == 1) {
    out.text = wire::unwrap_envelopes(parsed->texts[0], arena_);
  } else if (is_result && sent > out.text.size()) {
    json::ArenaList<std::string_view> unwrapped(arena_);
    for (const std::string_view text : parsed->texts) {
      unwrapped.push_back(wire::unwrap_envelopes(text, arena_));
    }
    out.text = wire::joined(unwrapped.span(), arena_);
  }
  out.fields = wire::text_of(reader_, arena_, parsed->others);
  return out;
}

}  // namespace vsr::router
