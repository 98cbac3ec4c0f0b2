#include "http/parser.h"

#include <fmt/format.h>

#include <cstring>

#include "base/strings.h"

namespace vsr::http {

namespace {

// Lines end in CR LF and nothing else, and none begins with a space: what llhttp would forgive,
// another parser on the way may read as another message.
bool has_clean_lines(std::string_view head) {
  while (!head.empty()) {
    const size_t end = head.find('\n');
    if (end == std::string_view::npos || end == 0 || head[end - 1] != '\r') return false;
    if (head.front() == ' ' || head.front() == '\t') return false;
    if (std::memchr(head.data(), '\r', end - 1) != nullptr) return false;
    head.remove_prefix(end + 1);
  }
  return true;
}

std::unexpected<Error> bad_message(std::string_view why) {
  return fail(ErrorCode::kProtocol, fmt::format("not a valid HTTP/1.1 message: {}", why),
              ErrorSource::kClient);
}

}  // namespace

size_t find_head_end(std::string_view bytes, size_t& searched) {
  const size_t at = bytes.find("\r\n\r\n", searched);
  if (at != std::string_view::npos) return at + 4;
  searched = bytes.size() < 3 ? 0 : bytes.size() - 3;
  return 0;
}

// llhttp's callbacks. A head is parsed in one call and no line is folded, so every span comes whole
// or in neighbours.
struct Parser::Callbacks {
  static Parser& self(llhttp_t* raw) { return *static_cast<Parser*>(raw->data); }
  static std::string_view grown(std::string_view before, const char* at, size_t length) {
    return before.empty() ? std::string_view(at, length)
                          : std::string_view(before.data(), before.size() + length);
  }
  static int on_url(llhttp_t* raw, const char* at, size_t length) {
    self(raw).target_ = grown(self(raw).target_, at, length);
    return 0;
  }
  static int on_name(llhttp_t* raw, const char* at, size_t length) {
    self(raw).name_ = grown(self(raw).name_, at, length);
    return 0;
  }
  static int on_value(llhttp_t* raw, const char* at, size_t length) {
    self(raw).value_ = grown(self(raw).value_, at, length);
    return 0;
  }
  static int on_header_done(llhttp_t* raw) {
    Parser& parser = self(raw);
    if (parser.headers_ == nullptr) return 0;  // trailers
    if (parser.headers_->size() == kHeadersMax) {
      parser.too_many_ = true;
      return HPE_USER;
    }
    if (parser.name_.empty()) return HPE_USER;
    std::string_view value = parser.value_;
    while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
    parser.headers_->add(parser.name_, value);
    parser.name_ = parser.value_ = {};
    return 0;
  }
  static int on_headers_done(llhttp_t* raw) {
    Parser& parser = self(raw);
    parser.headers_done_ = true;
    parser.keep_alive_ = llhttp_should_keep_alive(raw) != 0;
    parser.content_length_ = raw->content_length;
    if ((raw->flags & F_CHUNKED) != 0) {
      parser.framing_ = Framing::kChunked;
    } else if ((raw->flags & F_CONTENT_LENGTH) != 0) {
      parser.framing_ = raw->content_length > 0 ? Framing::kLength : Framing::kNone;
    } else {
      parser.framing_ = parser.kind_ == Kind::kResponse ? Framing::kUntilClose : Framing::kNone;
    }
    // 1 tells llhttp that no body follows, whatever the headers say.
    return parser.no_body_ ? 1 : 0;
  }
  static int on_body(llhttp_t* raw, const char* at, size_t length) {
    if (self(raw).chunks_ != nullptr) self(raw).chunks_->emplace_back(at, length);
    return 0;
  }
  static int on_message_done(llhttp_t* raw) {
    self(raw).done_ = true;
    return HPE_PAUSED;
  }
  static const llhttp_settings_t* settings() {
    static const llhttp_settings_t table = [] {
      llhttp_settings_t out;
      llhttp_settings_init(&out);
      out.on_url = on_url;
      out.on_header_field = on_name;
      out.on_header_value = on_value;
      out.on_header_value_complete = on_header_done;
      out.on_headers_complete = on_headers_done;
      out.on_body = on_body;
      out.on_message_complete = on_message_done;
      return out;
    }();
    return &table;
  }
};

Parser::Parser(Kind kind) : kind_(kind) {}

Status Parser::run_head(std::string_view head) {
  llhttp_init(&raw_, kind_ == Kind::kRequest ? HTTP_REQUEST : HTTP_RESPONSE, Callbacks::settings());
  raw_.data = this;
  done_ = headers_done_ = too_many_ = false;
  target_ = name_ = value_ = {};
  framing_ = Framing::kNone;
  content_length_ = 0;
  if (!has_clean_lines(head)) {
    headers_ = nullptr;
    return bad_message("a line of the head does not end in CR LF, or goes on in the next");
  }
  const llhttp_errno_t error = llhttp_execute(&raw_, head.data(), head.size());
  headers_ = nullptr;
  if (too_many_) {
    return fail(ErrorCode::kTooLarge, fmt::format("more than {} header fields", kHeadersMax),
                ErrorSource::kClient);
  }
  if (error != HPE_OK && error != HPE_PAUSED && error != HPE_PAUSED_UPGRADE) {
    const char* reason = llhttp_get_error_reason(&raw_);
    return bad_message(reason != nullptr && *reason ? reason : llhttp_errno_name(error));
  }
  if (!headers_done_) return bad_message("the head does not end");
  if (error == HPE_PAUSED) llhttp_resume(&raw_);
  return {};
}

// The only coding that is understood is "chunked", once: another would be passed on unread.
Status Parser::check_transfer_encoding(const Headers& headers) const {
  if ((raw_.flags & F_TRANSFER_ENCODING) == 0) return {};
  size_t count = 0;
  for (const Header& header : headers) {
    if (!iequals(header.name, "transfer-encoding")) continue;
    ++count;
    if (!iequals(header.value, "chunked")) return bad_message("unknown transfer-encoding");
  }
  if (count != 1 || raw_.http_minor == 0) return bad_message("unusable transfer-encoding");
  return {};
}

Status Parser::parse_request(std::string_view head, RequestHead& out) {
  out.headers.clear();
  headers_ = &out.headers;
  no_body_ = false;
  if (Status parsed = run_head(head); !parsed) return parsed;
  if (Status known = check_transfer_encoding(out.headers); !known) return known;
  if (raw_.http_major != 1) return bad_message("the version is not 1.0 or 1.1");
  size_t hosts = 0;
  for (const Header& header : out.headers) hosts += iequals(header.name, "host") ? 1 : 0;
  if (hosts > 1 || (hosts == 0 && raw_.http_minor > 0)) {
    return bad_message("there must be one host header");
  }
  out.method = llhttp_method_name(static_cast<llhttp_method_t>(raw_.method));
  out.minor_version = raw_.http_minor;
  // A client that takes us for a proxy sends the whole URL (RFC 9112, 3.2.2); the path counts.
  if (const size_t scheme = target_.find("://");
      scheme != std::string_view::npos && target_.front() != '/') {
    const size_t path = target_.find_first_of("/?", scheme + 3);
    target_ = path == std::string_view::npos ? "/" : target_.substr(path);
  }
  out.target = target_;
  const size_t question = target_.find('?');
  out.path = target_.substr(0, question);
  out.query = question == std::string_view::npos ? "" : target_.substr(question + 1);
  if (out.path.empty() ||
      (out.path.front() != '/' && !(out.method == "OPTIONS" && out.path == "*"))) {
    return bad_message("the request target must be a path that starts with /");
  }
  return {};
}

Status Parser::parse_response(std::string_view head, ResponseHead& out, bool no_body) {
  out.headers.clear();
  headers_ = &out.headers;
  no_body_ = no_body;
  if (Status parsed = run_head(head); !parsed) return parsed;
  if (Status known = check_transfer_encoding(out.headers); !known) return known;
  out.status = raw_.status_code;
  if (no_body || out.status == 204 || out.status == 304 || out.status < 200) {
    framing_ = Framing::kNone;
  }
  return {};
}

Result<size_t> Parser::feed_chunked(std::string_view bytes, std::vector<std::string_view>& out) {
  chunks_ = &out;
  const llhttp_errno_t error = llhttp_execute(&raw_, bytes.data(), bytes.size());
  chunks_ = nullptr;
  if (error == HPE_OK) return bytes.size();
  if (error == HPE_PAUSED && done_) {
    return static_cast<size_t>(llhttp_get_error_pos(&raw_) - bytes.data());
  }
  return fail(ErrorCode::kProtocol,
              fmt::format("bad chunked body: {}", llhttp_get_error_reason(&raw_)),
              kind_ == Kind::kRequest ? ErrorSource::kClient : ErrorSource::kUpstream);
}

}  // namespace vsr::http
