#include "wire/other_text.h"

#include <array>
#include <cstdint>
#include <string>

#include "text/utf8.h"

namespace vsr::wire {
namespace {

using json::Kind;

constexpr size_t kBase64BytesMin = 16;
// Shorter base64 may as well be a key, and is read as it stands too.
constexpr size_t kKeyBytesMax = 1024;

constexpr std::array<int8_t, 256> base64_values() {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (int i = 0; i < 26; ++i) {
    values[static_cast<size_t>('A' + i)] = static_cast<int8_t>(i);
    values[static_cast<size_t>('a' + i)] = static_cast<int8_t>(26 + i);
  }
  for (int i = 0; i < 10; ++i) values[static_cast<size_t>('0' + i)] = static_cast<int8_t>(52 + i);
  values['+'] = values['-'] = 62;
  values['/'] = values['_'] = 63;
  return values;
}
constexpr std::array<int8_t, 256> kBase64Values = base64_values();

bool is_line_end(char c) { return c == '\r' || c == '\n'; }

// Appends the bytes that `text` encodes; false if it is not base64 all through.
bool decode_base64(std::string_view text, std::string& out) {
  while (!text.empty() && (text.back() == '=' || is_line_end(text.back()))) text.remove_suffix(1);
  if (text.size() < kBase64BytesMin) return false;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (is_line_end(c)) continue;
    const int8_t value = kBase64Values[static_cast<uint8_t>(c)];
    if (value < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<char>(bits >> count));
  }
  return true;
}

// Control characters tell bytes from text sooner than anything else.
bool is_text(std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    if ((byte < 0x20 && c != '\t' && c != '\f' && !is_line_end(c)) || byte == 0x7F) return false;
  }
  return true;
}

// UTF-16 with a byte order mark, as files of some systems are; "" if it is none.
std::string utf8_of_utf16(std::string_view bytes) {
  const bool little = bytes.starts_with("\xFF\xFE");
  if (!little && !bytes.starts_with("\xFE\xFF")) return {};
  const auto unit = [&](size_t at) {
    const auto first = static_cast<uint8_t>(bytes[at]);
    const auto second = static_cast<uint8_t>(bytes[at + 1]);
    return little ? first | second << 8 : first << 8 | second;
  };
  std::string out;
  for (size_t at = 2; at + 1 < bytes.size(); at += 2) {
    auto code = static_cast<uint32_t>(unit(at));
    const bool is_high = code >= 0xD800 && code < 0xDC00;
    if (is_high && at + 3 < bytes.size()) {
      at += 2;
      code = 0x10000 + ((code - 0xD800) << 10) + (static_cast<uint32_t>(unit(at)) & 0x3FFU);
    }
    text::append_utf8(static_cast<char32_t>(code), out);
  }
  return out;
}

// What follows "data:text/plain;base64,"; data() is null if the text does not begin so.
std::string_view data_url_payload(std::string_view text) {
  constexpr std::string_view kMark = ";base64,";
  constexpr size_t kTypeBytesMax = 256;
  if (!text.starts_with("data:")) return {};
  const size_t mark = text.substr(0, kTypeBytesMax).find(kMark);
  return mark == std::string_view::npos ? std::string_view() : text.substr(mark + kMark.size());
}

class Walker {
 public:
  Walker(json::Reader& reader, json::Arena& arena) : reader_(reader), arena_(arena) {}

  void add(const OtherField& field) {
    const size_t before = out_.size();
    bool is_read = reader_.open(field.value) && holds_text(reader_.kind());
    if (is_read) {
      read(field.key);
      is_read = reader_.at_end();
    }
    if (is_read) return;
    out_.resize(before);
    add_line(field.key, field.value);
  }

  std::string_view text() { return arena_.copy(out_); }

 private:
  static bool holds_text(Kind kind) {
    return kind == Kind::kString || kind == Kind::kArray || kind == Kind::kObject;
  }

  void read(std::string_view key) {
    switch (reader_.kind()) {
      case Kind::kString: {
        std::string_view text;
        if (reader_.read_string(arena_, text)) add_string(key, text);
        return;
      }
      case Kind::kArray:
        reader_.begin_array();
        while (!reader_.failed() && reader_.next_element()) read(key);
        return;
      case Kind::kObject: {
        reader_.begin_object();
        std::string_view name;
        while (!reader_.failed() && reader_.next_field(name)) {
          const std::string_view kept = reader_.keep_key(name, arena_);
          if (reader_.kind() != Kind::kString) add_line({}, kept);
          read(kept);
        }
        return;
      }
      default:
        reader_.skip();
    }
  }

  void add_string(std::string_view key, std::string_view text) {
    const std::string_view payload = data_url_payload(text);
    const bool is_data_url = payload.data() != nullptr;
    std::string decoded;
    const bool is_base64 = decode_base64(is_data_url ? payload : text, decoded);
    if (std::string wide = utf8_of_utf16(decoded); !wide.empty()) decoded = std::move(wide);
    if (is_base64 && is_text(decoded)) add_line(key, decoded);
    if (!is_base64 || (!is_data_url && text.size() <= kKeyBytesMax)) add_line(key, text);
  }

  void add_line(std::string_view key, std::string_view text) {
    if (!key.empty()) out_.append(key).append(": ");
    out_.append(text).append("\n");
  }

  json::Reader& reader_;
  json::Arena& arena_;
  std::string out_;
};

}  // namespace

std::string_view text_of(json::Reader& reader, json::Arena& arena,
                         std::span<const OtherField> fields) {
  if (fields.empty()) return {};
  Walker walker(reader, arena);
  for (const OtherField& field : fields) walker.add(field);
  return walker.text();
}

}  // namespace vsr::wire
