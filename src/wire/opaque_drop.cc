#include "wire/opaque_drop.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "wire/opaque_scan.h"

namespace vsr::wire {
namespace {

using json::Kind;
using json::Span;

// One message, walked with a reader that stands on it.
class BlockFinder {
 public:
  struct Edit {
    Span span;  // relative to the message
    std::string_view replacement;
  };

  BlockFinder(json::Reader& reader, json::Arena& arena, std::vector<OpaqueItem> drop)
      : reader_(reader), arena_(arena), drop_(std::move(drop)) {}

  std::vector<Edit> find() {
    walk("");
    if (reader_.failed()) edits_.clear();
    return std::move(edits_);
  }

 private:
  // Takes the next value. True if it must go with the block around it.
  bool walk(std::string_view key) {
    switch (reader_.kind()) {
      case Kind::kString: {
        std::string_view value;
        OpaqueScanner rules(reader_, arena_);
        if (reader_.read_string(arena_, value)) rules.note(key, value);
        return is_dropped(rules);
      }
      case Kind::kArray:
        walk_array(key);
        return false;
      case Kind::kObject:
        return walk_object(key);
      default:
        reader_.skip();
        return false;
    }
  }

  bool is_dropped(OpaqueScanner& rules) const {
    const auto items = rules.items();
    return std::any_of(items.begin(), items.end(), [&](const OpaqueItem& item) {
      return std::find(drop_.begin(), drop_.end(), item) != drop_.end();
    });
  }

  void walk_array(std::string_view key) {
    const uint32_t start = reader_.offset();
    const size_t edits_before = edits_.size();
    std::vector<Span> elements;
    std::vector<bool> goes;
    reader_.begin_array();
    while (reader_.next_element()) {
      const uint32_t at = reader_.offset();
      const size_t edits_inside = edits_.size();
      const bool go = walk(key) && key != "tool_calls";
      if (go) edits_.resize(edits_inside);
      elements.push_back({at, reader_.value_end() - at});
      goes.push_back(go);
    }
    const bool none_stays = std::find(goes.begin(), goes.end(), false) == goes.end();
    if (key == "content" && none_stays && !goes.empty()) {
      edits_.resize(edits_before);
      edits_.push_back({{start, reader_.value_end() - start}, "\"\""});
      return;
    }
    erase(start + 1, elements, goes);
  }

  bool walk_object(std::string_view key) {
    const bool is_message = key.empty();
    const uint32_t start = reader_.offset();
    ObjectMarks marks;
    std::vector<Span> fields;
    std::vector<bool> goes;
    bool all_goes = false;
    std::string_view name;
    reader_.begin_object();
    while (reader_.next_field(name)) {
      const std::string_view kept = reader_.keep_key(name, arena_);
      const uint32_t at = reader_.key_span().offset;
      const size_t edits_inside = edits_.size();
      bool go = false;
      std::string_view* const mark = marks.member(kept);
      if (mark != nullptr && reader_.kind() == Kind::kString) {
        reader_.read_string(arena_, *mark);
      } else if (kept == "input") {
        reader_.skip();
      } else {
        go = walk(kept);
      }
      // A signature goes alone, and a field of the message itself too; anything else takes its
      // object along.
      const bool goes_alone =
          is_message || kept == "thought_signature" || kept == "thoughtSignature";
      if (go && goes_alone) edits_.resize(edits_inside);
      fields.push_back({at, reader_.value_end() - at});
      goes.push_back(go && goes_alone);
      all_goes |= go && !goes_alone;
    }
    erase(start + 1, fields, goes);
    OpaqueScanner rules(reader_, arena_);
    rules.note(key, marks);
    return !is_message && (all_goes || is_dropped(rules));
  }

  void erase(uint32_t begin, const std::vector<Span>& members, const std::vector<bool>& goes) {
    for (const Span span : json::erasures(begin, members, goes)) edits_.push_back({span, {}});
  }

  json::Reader& reader_;
  json::Arena& arena_;
  const std::vector<OpaqueItem> drop_;
  std::vector<Edit> edits_;
};

}  // namespace

void drop_opaque(const ChatRequest& request, std::span<const ProviderState> drop, int32_t first,
                 json::Reader& reader, json::Arena& arena, json::Splicer& splicer) {
  std::map<int32_t, std::vector<OpaqueItem>> by_message;
  for (const ProviderState& state : drop) by_message[state.message].push_back(state.item);
  for (auto& [message, items] : by_message) {
    if (message < first || static_cast<size_t>(message) >= request.messages.size()) continue;
    const Span raw = request.messages[message].raw;
    reader.open(raw.in(request.body));
    for (const auto& edit : BlockFinder(reader, arena, std::move(items)).find()) {
      splicer.replace({raw.offset + edit.span.offset, edit.span.length}, edit.replacement);
    }
  }
}

}  // namespace vsr::wire
