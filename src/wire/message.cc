#include "wire/message.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "wire/envelope.h"
#include "wire/hash.h"
#include "wire/opaque_scan.h"
#include "wire/request_reader.h"

namespace vsr::wire {
namespace {

using json::Kind;

bool is_blank(std::string_view text) {
  return std::all_of(text.begin(), text.end(), is_ascii_space);
}

bool is_text_type(std::string_view type) {
  return type == "text" || type == "input_text" || type == "output_text" || type == "refusal" ||
         type.empty();
}

void note_modality(std::string_view type, Modalities& seen) {
  const auto has = [&](std::string_view word) { return type.find(word) != std::string_view::npos; };
  if (has("image")) seen.image = true;
  if (has("audio")) seen.audio = true;
  if (has("video")) seen.video = true;
  if (has("file") || type == "document" || type == "container_upload") seen.file = true;
}

class MessageReader : RequestReader {
 public:
  MessageReader(json::Reader& reader, json::Arena& arena, size_t index)
      : RequestReader(reader, arena),
        where_("messages", index),
        scanner_(reader, arena),
        texts_(arena),
        visible_(arena),
        tool_calls_(arena),
        result_ids_(arena),
        others_(arena) {}

  ApiResult<Message> read(std::string_view raw) {
    if (reader_.open(raw) && require(where_, Kind::kObject)) {
      std::string_view key;
      reader_.begin_object();
      while (!failed() && reader_.next_field(key)) read_field(reader_.keep_key(key, arena_));
      reader_.at_end();
    }
    if (failed()) return std::unexpected(take_error());
    return finish();
  }

 private:
  Param at(std::string_view key) const { return Param(where_, key); }

  void read_field(std::string_view key) {
    if (key == "role") {
      std::string_view role;
      if (require(at(key), Kind::kString)) reader_.read_string(arena_, role);
      message_.role = role_of(role);
      return;
    }
    if (key == "content") return read_content(at(key), true);
    if (key == "tool_calls") return read_tool_calls();
    if (key == "function_call") {
      // The older form of one call, which has no id.
      if (skip_null()) return;
      ToolCall call;
      if (!require(at(key), Kind::kObject, "or null")) return;
      read_function(at(key), call);
      return add_call(call);
    }
    if (key == "tool_call_id") {
      std::string_view id;
      read_optional_string(at(key), id);
      return result_ids_.push_back(id), void();
    }
    if (key == "name") {
      const uint32_t start = reader_.offset();
      read_optional_string(at(key), message_.name);
      if (!failed()) note_other(key, start);
      rest_hash_ += fold(hash_bytes(key), hash_bytes(message_.name));
      return;
    }
    if (key == "cache_control") {
      const uint32_t start = reader_.offset();
      reader_.skip();
      if (!failed()) note_other(key, start);
      return;
    }
    if ((key == "reasoning_content" || key == "reasoning") && reader_.kind() == Kind::kString) {
      const uint32_t start = reader_.offset();
      std::string_view text;
      if (!reader_.read_string(arena_, text)) return;
      rest_hash_ += fold(hash_bytes(key), hash_bytes(text));
      if (!text.empty()) texts_.push_back(text);
      return note_other(key, start);
    }
    rest_hash_ += fold(hash_bytes(key), scan_other(key));
  }

  // Takes a value that only those read who look for private data. `key` lives in the arena.
  uint64_t scan_other(std::string_view key) {
    const uint32_t start = reader_.offset();
    const uint64_t hash = scanner_.scan(key);
    if (!failed()) note_other(key, start);
    return hash;
  }

  // The value that was read or skipped last, and began at `start`.
  void note_other(std::string_view key, uint32_t start) {
    const std::string_view value = reader_.text().substr(start, reader_.value_end() - start);
    // Numbers and literals hold no text.
    if (value.starts_with('"') || value.starts_with('[') || value.starts_with('{')) {
      others_.push_back({key, value});
    }
  }
  // Text that would be lost: it stands where none belongs, or its key is there once more.
  void note_text(std::string_view key, std::string_view text) {
    if (!text.empty()) others_.push_back({key, text});
  }

  // `outermost`: the content of the message, not of a tool_result block in it.
  void read_content(const Param& where, bool outermost) {
    switch (reader_.kind()) {
      case Kind::kNull:
        reader_.read_null();
        return;
      case Kind::kString: {
        std::string_view text;
        if (reader_.read_string(arena_, text)) add_text(text);
        return;
      }
      case Kind::kArray:
        break;
      default:
        return wrong_type(where, "a string, an array of parts, or null");
    }
    reader_.begin_array();
    for (size_t i = 0; !failed() && reader_.next_element(); ++i) {
      const Param part = where.element(i);
      if (++parts_ > kPartsMax) {
        return error("too_many_parts", where, fmt::format("holds more than {} parts", kPartsMax));
      }
      if (reader_.kind() == Kind::kString) {
        std::string_view text;
        if (reader_.read_string(arena_, text)) add_text(text);
      } else if (reader_.kind() == Kind::kObject) {
        read_part(part, outermost);
      } else {
        return wrong_type(part, "an object with a type, or a string");
      }
    }
  }

  void read_part(const Param& where, bool outermost) {
    ObjectMarks marks;
    std::string_view text;
    std::string_view thinking;
    ToolCall call;
    uint64_t rest = 0;  // of what is neither text nor known
    bool has_content = false;
    std::string_view key;
    reader_.begin_object();
    while (!failed() && reader_.next_field(key)) {
      const std::string_view name = reader_.keep_key(key, arena_);
      const uint32_t start = reader_.offset();
      if (name == "text" || name == "refusal") {
        note_text("text", text);
        read_optional_string(Param(where, name), text);
      } else if (name == "thinking" && reader_.kind() == Kind::kString) {
        if (!reader_.read_string(arena_, thinking)) return;
        rest += fold(hash_bytes(name), hash_bytes(thinking));
        note_other(name, start);
      } else if (name == "cache_control") {
        reader_.skip();
        if (!failed()) note_other(name, start);
      } else if (name == "content" && outermost &&
                 (reader_.kind() == Kind::kString || reader_.kind() == Kind::kArray)) {
        has_content = true;
        read_content(Param(where, name), false);
      } else if (name == "input") {
        call.arguments = reader_.skip().in(reader_.text());
        if (!failed()) note_other(name, start);
      } else if (name == "name") {
        read_optional_string(Param(where, name), call.name);
        if (!failed()) note_other(name, start);
      } else if (name == "type" && reader_.kind() != Kind::kString) {
        wrong_type(Param(where, name), "a string");
      } else if (std::string_view* const mark = marks.member(name);
                 mark != nullptr && reader_.kind() == Kind::kString) {
        if (!reader_.read_string(arena_, *mark)) return;
        if (name == "data" || name == "signature") note_other(name, start);
        if (name != "type") rest += fold(hash_bytes(name), hash_bytes(*mark));
      } else {
        rest += fold(hash_bytes(name), scan_other(name));
      }
    }
    if (failed()) return;
    scanner_.note("content", marks);
    if (!thinking.empty()) texts_.push_back(thinking);
    if (is_text_type(marks.type)) {
      add_text(text);
      // A bare text part is the same as a string.
      if (rest != 0) parts_hash_ = fold(parts_hash_, rest);
      return;
    }
    note_modality(marks.type, message_.modalities);
    if (marks.type == "tool_use") {
      call.id = marks.id;
      add_call(call);
      note_text("text", text);
    } else if (marks.type == "tool_result" && outermost) {
      message_.is_tool_result = true;
      result_ids_.push_back(marks.tool_use_id);
      note_text("text", text);
    } else if (!text.empty() || (has_content && outermost)) {
      // A part of an unknown type that carries text.
      add_text(text);
    }
    parts_hash_ = fold(fold(parts_hash_, hash_bytes(marks.type)), rest);
  }

  void add_text(std::string_view text) {
    if (text.empty()) return;
    texts_.push_back(text);
    const std::string_view visible = strip_envelopes(text, arena_);
    if (!is_blank(visible)) visible_.push_back(visible);
  }

  void read_tool_calls() {
    if (skip_null()) return;
    if (!require(at("tool_calls"), Kind::kArray, "or null")) return;
    reader_.begin_array();
    while (!failed() && reader_.next_element()) {
      const Param where(where_, "tool_calls", tool_calls_.size());
      if (!require(where, Kind::kObject)) return;
      read_tool_call(where);
    }
  }

  void read_tool_call(const Param& where) {
    ToolCall call;
    std::string_view key;
    reader_.begin_object();
    while (!failed() && reader_.next_field(key)) {
      if (key == "id") {
        read_optional_string(Param(where, key), call.id);
      } else if (key == "function") {
        const Param function(where, "function");
        if (require(function, Kind::kObject)) read_function(function, call);
      } else if (key == "type" || key == "index" || key == "cache_control") {
        reader_.skip();
      } else {
        const std::string_view name = reader_.keep_key(key, arena_);
        rest_hash_ += fold(hash_bytes(name), scan_other(name));
      }
    }
    add_call(call);
  }

  void read_function(const Param& where, ToolCall& call) {
    std::string_view key;
    reader_.begin_object();
    while (!failed() && reader_.next_field(key)) {
      if (key == "name") {
        read_optional_string(Param(where, "name"), call.name);
      } else if (key == "arguments" && reader_.kind() == Kind::kObject) {
        note_text("arguments", call.arguments);
        call.arguments = reader_.skip().in(reader_.text());
      } else if (key == "arguments") {
        note_text("arguments", call.arguments);
        read_optional_string(Param(where, "arguments"), call.arguments);
      } else {
        const std::string_view name = reader_.keep_key(key, arena_);
        rest_hash_ += fold(hash_bytes(name), scan_other(name));
      }
    }
  }

  void add_call(const ToolCall& call) {
    if (tool_calls_.size() == kToolCallsMax) {
      return error("too_many_tool_calls", at("tool_calls"),
                   fmt::format("holds more than {} calls", kToolCallsMax));
    }
    tool_calls_.push_back(call);
  }

  Message finish() {
    if (message_.role == Role::kTool || message_.role == Role::kFunction) {
      message_.is_tool_result = true;
      if (result_ids_.empty()) result_ids_.push_back({});
    }
    message_.text = joined(visible_.span(), arena_);
    message_.texts = texts_.span();
    message_.tool_calls = tool_calls_.span();
    message_.tool_result_ids = result_ids_.span();
    message_.opaque = scanner_.items();
    message_.others = others_.span();

    uint64_t hash = fold(static_cast<uint64_t>(message_.role), hash_bytes(message_.text));
    for (const ToolCall& call : message_.tool_calls) {
      hash = fold(hash, hash_bytes(call.id));
      hash = fold(hash, hash_bytes(call.name));
      hash = fold(hash, hash_bytes(call.arguments));
      message_.size += text_size(call.arguments);
      message_.size += text_size(call.name);
    }
    for (const std::string_view id : message_.tool_result_ids) hash = fold(hash, hash_bytes(id));
    for (const std::string_view text : message_.texts) message_.size += text_size(text);
    message_.canonical_hash = fold(fold(hash, parts_hash_), rest_hash_);
    return message_;
  }

  const Param where_;
  OpaqueScanner scanner_;
  Message message_;
  json::ArenaList<std::string_view> texts_;    // as sent
  json::ArenaList<std::string_view> visible_;  // what envelopes leave of them
  json::ArenaList<ToolCall> tool_calls_;
  json::ArenaList<std::string_view> result_ids_;
  json::ArenaList<OtherField> others_;
  size_t parts_ = 0;
  uint64_t parts_hash_ = 0;  // of parts that are not plain text, in order
  uint64_t rest_hash_ = 0;   // of other fields, in any order
};

}  // namespace

TextSize& TextSize::operator+=(const TextSize& other) {
  ascii_bytes += other.ascii_bytes;
  cjk_chars += other.cjk_chars;
  other_chars += other.other_chars;
  return *this;
}

// By the first byte of each character: E3 to ED are U+3000 to U+DFFF, which is kana, Han and
// hangul but for the narrow range A000 to ABFF. Without branches, so that it runs at memory speed.
TextSize text_size(std::string_view text) {
  TextSize size;
  uint32_t first_bytes = 0;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    size.ascii_bytes += byte < 0x80;
    first_bytes += byte >= 0xC0;
    size.cjk_chars += byte >= 0xE3 && byte <= 0xED;
  }
  size.other_chars = first_bytes - size.cjk_chars;
  return size;
}

std::string_view joined(std::span<const std::string_view> texts, json::Arena& arena) {
  if (texts.empty()) return {};
  if (texts.size() == 1) return texts[0];
  size_t size = texts.size() - 1;
  for (const std::string_view text : texts) size += text.size();
  char* const out = arena.allocate(size, 1);
  char* end = out;
  for (const std::string_view text : texts) {
    if (end != out) *end++ = ' ';
    end = std::copy(text.begin(), text.end(), end);
  }
  return {out, size};
}

ApiResult<Message> parse_message(json::Reader& reader, json::Arena& arena, std::string_view raw,
                                 size_t index) {
  return MessageReader(reader, arena, index).read(raw);
}

MessageFacts facts_of(const Message& message) {
  MessageFacts facts;
  facts.role = message.role;
  facts.has_text = !message.text.empty();
  facts.is_tool_result = message.is_tool_result;
  facts.has_others = !message.others.empty();
  facts.modalities = message.modalities;
  facts.tool_call_count = static_cast<uint32_t>(message.tool_calls.size());
  facts.size = message.size;
  facts.text_hash = hash_bytes(message.text);
  facts.canonical_hash = message.canonical_hash;
  facts.tool_call_ids.reserve(message.tool_calls.size());
  for (const ToolCall& call : message.tool_calls) facts.tool_call_ids.emplace_back(call.id);
  if (message.is_tool_result) {
    facts.tool_result_ids.assign(message.tool_result_ids.begin(), message.tool_result_ids.end());
  }
  facts.opaque.assign(message.opaque.begin(), message.opaque.end());
  return facts;
}

}  // namespace vsr::wire
