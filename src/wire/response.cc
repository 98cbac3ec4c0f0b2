#include "wire/response.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "wire/opaque_scan.h"

namespace vsr::wire {
namespace {

using json::Kind;

// Reads one JSON object of an answer, whole or a chunk, into an Observation. Wrong types are
// skipped: a backend is not ours to correct.
class AnswerReader {
 public:
  AnswerReader(json::Reader& reader, json::Arena& arena, const ObserverLimits& limits,
               Observation& seen)
      : reader_(reader), arena_(arena), limits_(limits), seen_(seen), scanner_(reader, arena) {}

  StreamObserver::Chunk read(std::string_view text) {
    ++seen_.chunks;
    if (!reader_.open(text) || reader_.kind() != Kind::kObject) return bad();
    std::string_view key;
    reader_.begin_object();
    while (reader_.next_field(key)) read_field(key);
    if (!reader_.at_end()) return bad();
    if (is_error_object_) note_error_object();
    chunk_.usage_only = has_usage_ && has_no_choice_ && !chunk_.error;
    const auto room = kOpaqueItemsMax - std::min(kOpaqueItemsMax, seen_.opaque.size());
    const auto items = scanner_.items();
    seen_.opaque.insert(seen_.opaque.end(), items.begin(),
                        items.begin() + std::min(room, items.size()));
    return chunk_;
  }

 private:
  StreamObserver::Chunk bad() {
    ++seen_.bad_chunks;
    chunk_.bad = true;
    return chunk_;
  }

  // The string that comes next; false (and skipped) if it is something else.
  bool take_string(std::string_view& out) {
    if (reader_.kind() == Kind::kString) return reader_.read_string(arena_, out);
    reader_.skip();
    return false;
  }

  void keep_short(std::string& to) {
    std::string_view text;
    if (take_string(text)) to.assign(text.substr(0, kObservedIdBytesMax));
  }

  void read_field(std::string_view key) {
    if (key == "choices" && reader_.kind() == Kind::kArray) return read_choices();
    if (key == "usage" && reader_.kind() == Kind::kObject) return read_usage();
    if (key == "error") return read_error();
    if (key == "id") return keep_short(seen_.id);
    if (key == "model") return keep_short(seen_.model);
    if (key == "object") {
      std::string_view object;
      if (take_string(object)) is_error_object_ = object == "error";
      return;
    }
    if (key == "message" && reader_.kind() == Kind::kString) {
      std::string_view text;
      if (take_string(text)) top_message_ = text;
      return;
    }
    if (key == "data" && reader_.kind() == Kind::kArray) {
      // Embeddings.
      reader_.begin_array();
      while (reader_.next_element()) {
        seen_.has_content = chunk_.has_output = true;
        reader_.skip();
      }
      return;
    }
    reader_.skip();
  }

  void note_error_object() {
    chunk_.error = seen_.has_error = true;
    seen_.error.message.assign(top_message_);
  }

  void read_error() {
    if (reader_.kind() == Kind::kNull) return void(reader_.read_null());
    chunk_.error = seen_.has_error = true;
    if (reader_.kind() != Kind::kObject) return keep_short(seen_.error.message);
    std::string_view key;
    reader_.begin_object();
    while (reader_.next_field(key)) {
      if (key == "message") {
        keep_short(seen_.error.message);
      } else if (key == "type") {
        keep_short(seen_.error.type);
      } else if (key == "code" && reader_.kind() == Kind::kNumber) {
        seen_.error.code.assign(reader_.skip().in(reader_.text()).substr(0, kObservedIdBytesMax));
      } else if (key == "code") {
        keep_short(seen_.error.code);
      } else {
        reader_.skip();
      }
    }
  }

  void take_count(int64_t& to) {
    int64_t number = 0;
    if (reader_.kind() != Kind::kNumber) return void(reader_.skip());
    if (reader_.read_int(number) && number >= 0) to = number;
  }

  void read_usage() {
    Usage usage;
    usage.present = has_usage_ = true;
    std::string_view key;
    reader_.begin_object();
    while (reader_.next_field(key)) {
      const bool is_object = reader_.kind() == Kind::kObject;
      if (key == "prompt_tokens") {
        take_count(usage.prompt_tokens);
      } else if (key == "completion_tokens") {
        take_count(usage.completion_tokens);
      } else if (key == "total_tokens") {
        take_count(usage.total_tokens);
      } else if (key == "prompt_tokens_details" && is_object) {
        read_details([&](std::string_view name) -> int64_t* {
          if (name == "cached_tokens") return &usage.cached_tokens;
          return name == "created_cache_tokens" ? &usage.created_cache_tokens : nullptr;
        });
      } else if (key == "completion_tokens_details" && is_object) {
        read_details([&](std::string_view name) {
          return name == "reasoning_tokens" ? &usage.reasoning_tokens : nullptr;
        });
      } else {
        reader_.skip();
      }
    }
    seen_.usage = usage;
  }

  template <typename CounterOf>
  void read_details(CounterOf counter_of) {
    std::string_view key;
    reader_.begin_object();
    while (reader_.next_field(key)) {
      if (int64_t* const counter = counter_of(key)) {
        take_count(*counter);
      } else {
        reader_.skip();
      }
    }
  }

  void read_choices() {
    has_no_choice_ = true;
    reader_.begin_array();
    while (reader_.next_element()) {
      has_no_choice_ = false;
      if (reader_.kind() != Kind::kObject) {
        reader_.skip();
        continue;
      }
      std::string_view key;
      reader_.begin_object();
      while (reader_.next_field(key)) {
        const bool is_object = reader_.kind() == Kind::kObject;
        if ((key == "delta" || key == "message") && is_object) {
          calls_are_whole_ = key == "message";
          read_message();
        } else if (key == "text") {
          take_text(seen_.text, seen_.text_truncated);
        } else if (key == "finish_reason" && reader_.kind() == Kind::kString) {
          keep_short(seen_.finish_reason);
        } else {
          reader_.skip();
        }
      }
    }
  }

  void read_message() {
    std::string_view key;
    reader_.begin_object();
    while (reader_.next_field(key)) {
      if ((key == "content" && reader_.kind() != Kind::kArray) || key == "refusal") {
        take_text(seen_.text, seen_.text_truncated);
      } else if ((key == "reasoning_content" || key == "reasoning") &&
                 reader_.kind() == Kind::kString) {
        take_text(seen_.reasoning, seen_.reasoning_truncated);
      } else if (key == "tool_calls" && reader_.kind() == Kind::kArray) {
        reader_.begin_array();
        while (reader_.next_element()) read_tool_call();
      } else if (key == "function_call" && reader_.kind() == Kind::kObject) {
        CallPiece piece;
        read_function(piece);
        if (!reader_.failed()) add_piece(0, {}, piece);
      } else {
        const std::string_view name = reader_.keep_key(key, arena_);
        if (name == "content" || name == "audio") note_output(reader_.kind() != Kind::kNull);
        scanner_.scan(name);
      }
    }
  }

  void note_output(bool there) {
    if (there) seen_.has_content = chunk_.has_output = true;
  }

  // Appends the string that comes next, as far as the limit lets it, in whole characters.
  void take_text(std::string& to, bool& truncated) {
    std::string_view text;
    if (!take_string(text) || text.empty()) return;
    note_output(true);
    seen_.content_bytes += text.size();
    append_limited(to, text, limits_.text_bytes_max, truncated);
  }

  static void append_limited(std::string& to, std::string_view text, size_t limit,
                             bool& truncated) {
    if (truncated) return;
    size_t room = limit - std::min(limit, to.size());
    if (text.size() > room) {
      truncated = true;
      while (room > 0 && (static_cast<uint8_t>(text[room]) & 0xC0) == 0x80) --room;
    }
    to.append(text.substr(0, room));
  }

  void read_tool_call() {
    if (reader_.kind() != Kind::kObject) return void(reader_.skip());
    // The index and id may come after the function, so the call is found when all is read.
    int64_t index = -1;
    std::string_view id;
    CallPiece piece;
    std::string_view key;
    reader_.begin_object();
    while (reader_.next_field(key)) {
      if (key == "index" && reader_.kind() == Kind::kNumber) {
        reader_.read_int(index);
      } else if (key == "id") {
        take_string(id);
      } else if (key == "function" && reader_.kind() == Kind::kObject) {
        read_function(piece);
      } else if (key == "type") {
        reader_.skip();
      } else {
        scanner_.scan(reader_.keep_key(key, arena_));
      }
    }
    if (reader_.failed()) return;
    add_piece(index, id, piece);
  }

  struct CallPiece {
    std::string_view name;
    std::string_view arguments;
  };

  void read_function(CallPiece& piece) {
    std::string_view key;
    reader_.begin_object();
    while (reader_.next_field(key)) {
      if (key == "name") {
        take_string(piece.name);
      } else if (key == "arguments") {
        take_string(piece.arguments);
      } else {
        scanner_.scan(reader_.keep_key(key, arena_));
      }
    }
  }

  void add_piece(int64_t index, std::string_view id, const CallPiece& piece) {
    ObservedToolCall& call = tool_call_at(index, id);
    if (call.name.empty()) call.name.assign(piece.name.substr(0, kObservedIdBytesMax));
    append_limited(call.arguments, piece.arguments, call.arguments.size() + arguments_room(),
                   seen_.arguments_truncated);
  }

  size_t arguments_room() const {
    size_t used = 0;
    for (const ObservedToolCall& call : seen_.tool_calls) used += call.arguments.size();
    return limits_.arguments_bytes_max - std::min(limits_.arguments_bytes_max, used);
  }

  // The call that a piece belongs to: the one with its id, else the newest with its index. Beyond
  // kObservedToolCallsMax everything goes to a call that is not kept.
  ObservedToolCall& tool_call_at(int64_t index, std::string_view id) {
    seen_.has_tool_call = chunk_.has_output = true;
    id = id.substr(0, kObservedIdBytesMax);
    auto& calls = seen_.tool_calls;
    const auto found = std::find_if(calls.rbegin(), calls.rend(), [&](ObservedToolCall& call) {
      if (calls_are_whole_) return false;
      if (id.empty() || call.id.empty()) return index < 0 || call.index == index;
      return call.id == id;
    });
    if (found != calls.rend()) {
      if (found->id.empty()) found->id.assign(id);
      return *found;
    }
    if (calls.size() >= kObservedToolCallsMax) return overflow_ = {};
    ObservedToolCall& call = calls.emplace_back();
    call.index = index;
    call.id.assign(id);
    return call;
  }

  json::Reader& reader_;
  json::Arena& arena_;
  const ObserverLimits& limits_;
  Observation& seen_;
  OpaqueScanner scanner_;
  StreamObserver::Chunk chunk_;
  ObservedToolCall overflow_;
  std::string_view top_message_;
  bool has_usage_ = false;
  bool has_no_choice_ = false;
  bool is_error_object_ = false;
  bool calls_are_whole_ = false;
};

}  // namespace

StreamObserver::Chunk StreamObserver::on_data(json::Reader& reader, std::string_view payload) {
  if (trim(payload) == "[DONE]") {
    seen_.done = true;
    Chunk chunk;
    chunk.done = true;
    return chunk;
  }
  arena_.reset();
  return AnswerReader(reader, arena_, limits_, seen_).read(payload);
}

Observation observe_body(json::Reader& reader, std::string_view body, ObserverLimits limits) {
  Observation seen;
  json::Arena arena;
  AnswerReader(reader, arena, limits, seen).read(body);
  return seen;
}

}  // namespace vsr::wire
