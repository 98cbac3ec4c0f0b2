#include "json/reader.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

namespace vsr::json {
namespace {

constexpr size_t kCapacityMin = 4096;
// A larger index is given back when the next text is smaller, so that one huge body does not hold
// memory for ever: the index takes up to four bytes for each byte of text.
constexpr size_t kRetainedCapacityMax = size_t{4} << 20;

constexpr bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::string_view describe(simdjson::error_code code) {
  switch (code) {
    case simdjson::EMPTY:
      return "there is no JSON value";
    case simdjson::UTF8_ERROR:
      return "the text is not valid UTF-8";
    case simdjson::UNCLOSED_STRING:
      return "a string is not closed";
    case simdjson::UNESCAPED_CHARS:
      return "a string holds an unescaped control character";
    case simdjson::MEMALLOC:
      return "there is not enough memory";
    default:
      return "the text is not JSON";
  }
}

// Digits from `i`; false if there is none.
bool skip_digits(std::string_view text, size_t& i) {
  const size_t start = i;
  while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
  return i > start;
}

bool is_number(std::string_view text) {
  size_t i = 0;
  if (i < text.size() && text[i] == '-') ++i;
  if (i < text.size() && text[i] == '0') {
    ++i;
  } else if (!skip_digits(text, i)) {
    return false;
  }
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (!skip_digits(text, i)) return false;
  }
  if (i < text.size() && (text[i] | 32) == 'e') {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (!skip_digits(text, i)) return false;
  }
  return i == text.size();
}

Kind kind_of(char c) {
  switch (c) {
    case '{':
      return Kind::kObject;
    case '[':
      return Kind::kArray;
    case '"':
      return Kind::kString;
    case 't':
    case 'f':
      return Kind::kBool;
    case 'n':
      return Kind::kNull;
    case '-':
      return Kind::kNumber;
    default:
      return c >= '0' && c <= '9' ? Kind::kNumber : Kind::kNone;
  }
}

// What a token does to the nesting.
constexpr std::array<int8_t, 256> kDepthStep = [] {
  std::array<int8_t, 256> step{};
  step['{'] = step['['] = 1;
  step['}'] = step[']'] = -1;
  return step;
}();

}  // namespace

std::string_view with_article(Kind kind) {
  switch (kind) {
    case Kind::kNone:
      return "nothing";
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return "a boolean";
    case Kind::kNumber:
      return "a number";
    case Kind::kString:
      return "a string";
    case Kind::kArray:
      return "an array";
    case Kind::kObject:
      return "an object";
  }
  return "nothing";
}

struct Reader::Impl {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;

  simdjson::error_code reserve(size_t bytes) {
    const size_t wanted = std::bit_ceil(std::max(bytes, kCapacityMin));
    if (!parser) {
      return simdjson::get_active_implementation()->create_dom_parser_implementation(wanted, 1,
                                                                                     parser);
    }
    const bool too_small = parser->capacity() < bytes;
    const bool too_large =
        parser->capacity() > kRetainedCapacityMax && wanted <= kRetainedCapacityMax;
    return too_small || too_large ? parser->allocate(wanted, 1) : simdjson::SUCCESS;
  }
};

Reader::Reader() : impl_(std::make_unique<Impl>()) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

bool Reader::open(std::string_view text) {
  text_ = text;
  token_count_ = 0;
  error_.clear();
  rewind();
  if (text.size() > kTextBytesMax) {
    fail(fmt::format("the text is larger than {} bytes", kTextBytesMax));
    return false;
  }
  auto code = text.empty() ? simdjson::EMPTY : impl_->reserve(text.size());
  if (code == simdjson::SUCCESS) {
    code = impl_->parser->stage1(reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                                 simdjson::stage1_mode::regular);
  }
  if (code != simdjson::SUCCESS) {
    error_ = describe(code);
    return false;
  }
  tokens_ = impl_->parser->structural_indexes.get();
  token_count_ = impl_->parser->n_structural_indexes;
  return true;
}

void Reader::rewind() {
  token_ = 0;
  depth_ = 0;
  key_span_ = {};
}

Error Reader::to_error(ErrorSource source) const {
  return Error{ErrorCode::kInvalidArgument, source, Retry::kNo, error_};
}

void Reader::fail(std::string_view why) {
  if (error_.empty()) error_ = fmt::format("{} at byte {}", why, offset());
}

Kind Reader::kind() const {
  if (failed() || token_ >= token_count_) return Kind::kNone;
  return kind_of(token_char(token_));
}

// Tokens are followed only by white space up to the next one; the index ends with the text's size.
Span Reader::scalar_span(uint32_t token) const {
  const uint32_t start = tokens_[token];
  uint32_t end = tokens_[token + 1];
  while (end > start + 1 && is_space(text_[end - 1])) --end;
  return {start, end - start};
}

uint32_t Reader::value_end() const {
  const char c = token_char(token_ - 1);
  return c == '}' || c == ']' ? tokens_[token_ - 1] + 1 : scalar_span(token_ - 1).end();
}

Span Reader::string_span(uint32_t token) {
  const Span span = scalar_span(token);
  if (span.length >= 2 && text_[span.end() - 1] == '"') return span;
  fail("a string is malformed");
  return {};
}

bool Reader::check_scalar(uint32_t token) {
  const std::string_view text = scalar_span(token).in(text_);
  switch (text.front()) {
    case 't':
      if (text == "true") return true;
      break;
    case 'f':
      if (text == "false") return true;
      break;
    case 'n':
      if (text == "null") return true;
      break;
    default:
      if (is_number(text)) return true;
  }
  fail("a value is not JSON");
  return false;
}

bool Reader::expect(char c, const char* what) {
  if (failed()) return false;
  if (token_ < token_count_ && token_char(token_) == c) {
    ++token_;
    return true;
  }
  fail(token_ < token_count_ ? fmt::format("expected {}", what)
                             : fmt::format("the text ends where {} was expected", what));
  return false;
}

bool Reader::begin(char open, const char* what) {
  if (!expect(open, what)) return false;
  if (++depth_ <= kDepthMax) return true;
  fail(fmt::format("nesting is deeper than {}", kDepthMax));
  return false;
}

// Moves to the next member of the container whose opening bracket is `close`'s partner. Right
// after begin() the token before is that bracket; after a value it never is.
bool Reader::next(char close, const char* what) {
  if (failed()) return false;
  if (token_ >= token_count_) {
    fail("the text ends too early");
    return false;
  }
  const char open = close == '}' ? '{' : '[';
  const bool first = token_char(token_ - 1) == open;
  const char c = token_char(token_);
  if (c == close) {
    ++token_;
    --depth_;
    return false;
  }
  if (first) return true;
  return expect(',', what);
}

bool Reader::begin_object() { return begin('{', "an object"); }
bool Reader::begin_array() { return begin('[', "an array"); }

bool Reader::next_field(std::string_view& key) {
  if (!next('}', "a comma or }")) return false;
  if (kind() != Kind::kString) {
    fail("expected a key in quotes");
    return false;
  }
  key_span_ = string_span(token_);
  if (failed()) return false;
  const std::string_view raw = text_.substr(key_span_.offset + 1, key_span_.length - 2);
  key = raw;
  if (std::memchr(raw.data(), '\\', raw.size()) != nullptr) {
    key_scratch_.resize(raw.size());
    const char* const end = unescape(raw, key_scratch_.data());
    if (end == nullptr) {
      fail("a key holds a bad escape");
      return false;
    }
    key = std::string_view(key_scratch_.data(), end - key_scratch_.data());
  }
  ++token_;
  return expect(':', "a colon");
}

bool Reader::next_element() {
  if (!next(']', "a comma or ]")) return false;
  if (kind() != Kind::kNone) return true;
  fail("expected a value");
  return false;
}

bool Reader::read_string(Arena& arena, std::string_view& out) {
  if (kind() != Kind::kString) {
    fail("expected a string");
    return false;
  }
  const Span span = string_span(token_);
  if (failed()) return false;
  const std::string_view raw = text_.substr(span.offset + 1, span.length - 2);
  out = raw;
  if (std::memchr(raw.data(), '\\', raw.size()) != nullptr) {
    char* const data = arena.allocate(raw.size(), 1);
    const char* const end = unescape(raw, data);
    if (end == nullptr) {
      fail("a string holds a bad escape");
      return false;
    }
    out = {data, static_cast<size_t>(end - data)};
    arena.shrink_last(data, raw.size(), out.size());
  }
  ++token_;
  return true;
}

bool Reader::read_bool(bool& out) {
  if (kind() != Kind::kBool) {
    fail("expected true or false");
    return false;
  }
  if (!check_scalar(token_)) return false;
  out = token_char(token_) == 't';
  ++token_;
  return true;
}

bool Reader::read_null() {
  if (kind() != Kind::kNull) {
    fail("expected null");
    return false;
  }
  if (!check_scalar(token_)) return false;
  ++token_;
  return true;
}

bool Reader::read_int(int64_t& out) {
  if (kind() != Kind::kNumber) {
    fail("expected a number");
    return false;
  }
  if (!check_scalar(token_)) return false;
  const std::string_view text = scalar_span(token_).in(text_);
  ++token_;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
  return code == std::errc() && end == text.data() + text.size();
}

bool Reader::read_double(double& out) {
  if (kind() != Kind::kNumber) {
    fail("expected a number");
    return false;
  }
  if (!check_scalar(token_)) return false;
  const std::string_view text = scalar_span(token_).in(text_);
  ++token_;
  return std::from_chars(text.data(), text.data() + text.size(), out).ec == std::errc();
}

Span Reader::skip() {
  if (failed()) return {};
  switch (kind()) {
    case Kind::kString: {
      const Span span = string_span(token_);
      ++token_;
      return span;
    }
    case Kind::kObject:
    case Kind::kArray:
      break;
    case Kind::kNone:
      fail(token_ < token_count_ ? "expected a value" : "the text ends where a value was expected");
      return {};
    default:
      if (!check_scalar(token_)) return {};
      return scalar_span(token_++);
  }
  const uint32_t start = offset();
  int32_t depth = 0;
  int32_t deepest = 0;
  uint32_t token = token_;
  do {
    depth += kDepthStep[static_cast<uint8_t>(token_char(token))];
    deepest = std::max(deepest, depth);
    ++token;
  } while (depth > 0 && token < token_count_);
  if (depth_ + static_cast<uint32_t>(deepest) > kDepthMax) {
    fail(fmt::format("nesting is deeper than {}", kDepthMax));
    return {};
  }
  token_ = token;
  if (depth > 0) {
    fail("the text ends too early");
    return {};
  }
  return {start, value_end() - start};
}

Span Reader::skip_checked() {
  if (kind() != Kind::kObject && kind() != Kind::kArray) return skip();
  const uint32_t start = offset();
  // One bit per open container: set if it is an object.
  std::array<uint64_t, kDepthMax / 64 + 1> objects{};
  const uint32_t outer = depth_;
  const auto inside_object = [&] { return (objects[depth_ / 64] >> (depth_ % 64) & 1) != 0; };
  std::string_view key;
  bool enter = true;  // stands on a value that has to be taken
  while (!failed()) {
    if (enter) {
      const Kind what = kind();
      if (what == Kind::kObject || what == Kind::kArray) {
        const bool object = what == Kind::kObject;
        if (!(object ? begin_object() : begin_array())) break;
        const uint64_t bit = uint64_t{1} << (depth_ % 64);
        objects[depth_ / 64] = object ? objects[depth_ / 64] | bit : objects[depth_ / 64] & ~bit;
      } else {
        skip();
      }
    }
    enter = inside_object() ? next_field(key) : next_element();
    if (!enter && depth_ == outer) break;
  }
  if (failed()) return {};
  return {start, value_end() - start};
}

bool Reader::at_end() {
  if (failed()) return false;
  if (token_ == token_count_) return true;
  fail("something follows the value");
  return false;
}

}  // namespace vsr::json
