#pragma once

// llhttp behind a small face: one complete head at a time, then body bytes in any pieces. Used for
// both directions. Not thread-safe; no I/O. What llhttp refuses is an error with its own words.

#include <llhttp/llhttp.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace vsr::http {

constexpr size_t kHeadBytesMax = 64 * 1024;
constexpr size_t kHeadersMax = 200;

// Offset just after the empty line that ends a head, 0 if it is not there yet. `searched` is where
// an earlier search ended; 0 at first.
size_t find_head_end(std::string_view bytes, size_t& searched);

enum class Framing : uint8_t { kNone, kLength, kChunked, kUntilClose };

class Parser {
 public:
  enum class Kind : uint8_t { kRequest, kResponse };
  explicit Parser(Kind kind);
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  // Parses a whole head (find_head_end bytes). The views in `out` point into `head`. Errors:
  // kProtocol (400), kTooLarge (too many headers, 431).
  Status parse_request(std::string_view head, RequestHead& out);
  // `no_body`: the request was HEAD.
  Status parse_response(std::string_view head, ResponseHead& out, bool no_body);

  Framing framing() const { return framing_; }
  uint64_t content_length() const { return content_length_; }
  bool keep_alive() const { return keep_alive_; }

  // Body bytes of a chunked message: appends the decoded spans of `bytes` to `out` and says how
  // many bytes were used; done() once the last chunk was seen.
  Result<size_t> feed_chunked(std::string_view bytes, std::vector<std::string_view>& out);
  bool done() const { return done_; }

 private:
  Status run_head(std::string_view head);
  Status check_transfer_encoding(const Headers& headers) const;

  struct Callbacks;
  friend struct Callbacks;
  const Kind kind_;
  llhttp_t raw_{};
  Framing framing_ = Framing::kNone;
  uint64_t content_length_ = 0;
  bool keep_alive_ = true;
  bool done_ = false;
  bool headers_done_ = false;
  bool too_many_ = false;
  bool no_body_ = false;
  std::string_view target_;
  std::string_view name_;
  std::string_view value_;
  Headers* headers_ = nullptr;
  std::vector<std::string_view>* chunks_ = nullptr;
};

}  // namespace vsr::http
