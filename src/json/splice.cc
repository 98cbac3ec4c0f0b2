#include "json/splice.h"

#include <algorithm>

#include "base/check.h"
#include "json/writer.h"

namespace vsr::json {

void Splicer::replace(Span span, std::string_view replacement) {
  VSR_CHECK(span.end() <= text_.size(), "edit ends at {} of {}", span.end(), text_.size());
  const Edit edit{span, static_cast<uint32_t>(added_.size()),
                  static_cast<uint32_t>(replacement.size())};
  added_.append(replacement);
  const auto at = std::upper_bound(
      edits_.begin(), edits_.end(), span.offset,
      [](uint32_t offset, const Edit& other) { return offset < other.span.offset; });
  VSR_CHECK(at == edits_.begin() || std::prev(at)->span.end() <= span.offset, "edits overlap");
  VSR_CHECK(at == edits_.end() || span.end() <= at->span.offset, "edits overlap");
  edits_.insert(at, edit);
}

size_t Splicer::size() const {
  size_t size = text_.size();
  for (const Edit& edit : edits_) size = size - edit.span.length + edit.text_length;
  return size;
}

std::vector<std::string_view> Splicer::pieces() const {
  std::vector<std::string_view> pieces;
  pieces.reserve(edits_.size() * 2 + 1);
  const auto add = [&](std::string_view piece) {
    if (!piece.empty()) pieces.push_back(piece);
  };
  uint32_t from = 0;
  for (const Edit& edit : edits_) {
    add(text_.substr(from, edit.span.offset - from));
    add(std::string_view(added_).substr(edit.text_offset, edit.text_length));
    from = edit.span.end();
  }
  add(text_.substr(from));
  return pieces;
}

std::string Splicer::joined() const {
  std::string out;
  out.reserve(size());
  for (const std::string_view piece : pieces()) out += piece;
  return out;
}

void ObjectEditor::set(std::string_view key, std::string_view json_value) {
  VSR_CHECK(!json_value.empty(), "a field needs a value");
  std::erase_if(changes_, [&](const Change& change) { return change.key == key; });
  changes_.push_back({std::string(key), std::string(json_value)});
}

void ObjectEditor::remove(std::string_view key) {
  std::erase_if(changes_, [&](const Change& change) { return change.key == key; });
  changes_.push_back({std::string(key), {}});
}

const ObjectEditor::Change* ObjectEditor::change_of(std::string_view key) const {
  for (const Change& change : changes_) {
    if (change.key == key) return &change;
  }
  return nullptr;
}

// A member that goes takes the comma before it along; the first ones that go, up to the first that
// stays, take the comma behind them.
std::vector<Span> erasures(uint32_t begin, std::span<const Span> members,
                           const std::vector<bool>& goes) {
  std::vector<Span> spans;
  bool one_stays = false;
  uint32_t gap = begin;  // behind the member before
  for (size_t i = 0; i < members.size(); ++i) {
    const Span& member = members[i];
    if (!goes[i]) {
      one_stays = true;
    } else if (one_stays) {
      spans.push_back({gap, member.end() - gap});
    } else {
      const uint32_t end = i + 1 == members.size() ? member.end() : members[i + 1].offset;
      spans.push_back({member.offset, end - member.offset});
    }
    gap = member.end();
  }
  return spans;
}

void ObjectEditor::apply(Splicer& splicer) const {
  std::vector<Span> members;
  std::vector<bool> goes;
  for (const Field& field : fields_) {
    const Change* const change = change_of(field.key);
    members.push_back({field.key_span.offset, field.value.end() - field.key_span.offset});
    goes.push_back(change != nullptr && change->value.empty());
    if (change != nullptr && !goes.back()) splicer.replace(field.value, change->value);
  }
  const uint32_t begin = object_.offset + 1;
  for (const Span span : erasures(begin, members, goes)) splicer.erase(span);
  const bool has_field = std::find(goes.begin(), goes.end(), false) != goes.end();
  const uint32_t gap_start = members.empty() ? begin : members.back().end();
  std::string added;
  for (const Change& change : changes_) {
    if (change.value.empty()) continue;
    const bool present = std::any_of(fields_.begin(), fields_.end(),
                                     [&](const Field& field) { return field.key == change.key; });
    if (present) continue;
    if (has_field || !added.empty()) added += ',';
    append_quoted(added, change.key);
    added += ':';
    added += change.value;
  }
  if (!added.empty()) splicer.insert(gap_start, added);
}

std::span<const Field> read_fields(Reader& reader, Arena& arena) {
  ArenaList<Field> fields(arena);
  std::string_view key;
  if (!reader.begin_object()) return {};
  while (reader.next_field(key)) {
    if (fields.size() == kFieldsMax) {
      reader.fail("an object has too many fields");
      break;
    }
    const std::string_view kept = reader.keep_key(key, arena);
    const Span key_span = reader.key_span();
    fields.push_back({kept, key_span, reader.skip()});
  }
  if (reader.failed()) return {};
  return fields.span();
}

}  // namespace vsr::json
