// One request and its answer: reading the body, framing what is sent. Connections are in server.cc.
#include <fmt/format.h>

#include <charconv>

#include "base/check.h"
#include "http/server.h"

namespace vsr::http {

namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr size_t kChunkedReadBytes = 16UL << 10;
// Reads of one body before other work has its turn.
constexpr int kReadsPerTurn = 16;

void append_number(std::string& out, uint64_t number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), number).ptr);
}

bool status_has_body(int status) { return status >= 200 && status != 204 && status != 304; }

}  // namespace

// ---- Exchange: the request ----------------------------------------------------------------------

net::Task<Status> Exchange::send_continue() {
  if (!expects_continue_ || !buffer_.empty()) co_return Status{};
  expects_continue_ = false;
  const std::string_view pieces[] = {kContinue};
  co_return note_write(
      co_await stream_.write_all(pieces, loop().after(limits_.write), &client_gone_));
}

net::Task<Result<Bytes>> Exchange::read_body(uint64_t bytes_max) {
  if (framing_ == Framing::kNone || body_read_) {
    body_read_ = true;
    received_at_ = loop().now();
    co_return Bytes{};
  }
  bytes_max = std::min(bytes_max, limits_.body_bytes_max);
  if (framing_ == Framing::kLength && content_length_ > bytes_max) {
    co_return fail(ErrorCode::kTooLarge,
                   fmt::format("the body has {} bytes, {} are allowed", content_length_, bytes_max),
                   ErrorSource::kClient);
  }
  if (Status sent = co_await send_continue(); !sent) co_return std::unexpected(sent.error());
  Result<Bytes> body = framing_ == Framing::kLength ? co_await read_sized(content_length_)
                                                    : co_await read_chunked(bytes_max);
  if (body) {
    body_read_ = true;
    received_at_ = loop().now();
    co_return body;
  }
  // Where the next request begins is not known any more.
  keep_alive_ = false;
  body.error().source = ErrorSource::kClient;
  if (body.error().code == ErrorCode::kTimeout) body.error().message = "the body came too slowly";
  co_return body;
}

net::Task<Result<Bytes>> Exchange::read_sized(uint64_t length) {
  // Small bodies at once; a large one gets its memory as it comes, so that a length alone costs
  // the client nothing and us little.
  Bytes body(std::min(length, uint64_t{internal::kBlockBytesMax} - Bytes::kPadding));
  const std::string_view ready = buffer_.unread().substr(0, length);
  body.append(ready);
  buffer_.consume(ready.size());
  const MonoTime begun = loop().now();
  for (int reads = 1; body.size() < length; ++reads) {
    if (body.room().empty()) body.reserve_more(std::min(length - body.size(), body.size()));
    const std::span<char> room =
        body.room().first(std::min<size_t>(body.room().size(), length - body.size()));
    const MonoTime deadline = begun + limits_.body_grace + std::chrono::milliseconds(body.size());
    const Result<size_t> got = co_await stream_.read_some(room, deadline);
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return fail(ErrorCode::kClosed, "the client closed in its body");
    body.grew(*got);
    if (reads % kReadsPerTurn == 0) co_await loop().yield();
  }
  co_return body;
}

net::Task<Result<Bytes>> Exchange::read_chunked(uint64_t bytes_max) {
  Bytes body(kChunkedReadBytes);
  std::vector<std::string_view> spans;
  const MonoTime begun = loop().now();
  for (int reads = 1; !parser_.done(); ++reads) {
    if (buffer_.empty()) {
      const MonoTime deadline = begun + limits_.body_grace + std::chrono::milliseconds(body.size());
      const std::span<char> room = buffer_.room(kChunkedReadBytes);
      const Result<size_t> got = co_await stream_.read_some(room, deadline);
      if (!got) co_return std::unexpected(got.error());
      if (*got == 0) co_return fail(ErrorCode::kClosed, "the client closed in its body");
      buffer_.grew(*got);
    }
    spans.clear();
    const Result<size_t> used = parser_.feed_chunked(buffer_.unread(), spans);
    // What came before a mistake counts, so that the answer does not hang on how the bytes were
    // cut.
    for (const std::string_view span : spans) {
      if (body.size() + span.size() > bytes_max) {
        co_return fail(ErrorCode::kTooLarge,
                       fmt::format("the body has more than the {} bytes allowed", bytes_max));
      }
      body.append(span);
    }
    if (!used) co_return std::unexpected(used.error());
    buffer_.consume(*used);
    if (reads % kReadsPerTurn == 0) co_await loop().yield();
  }
  co_return body;
}

// ---- Exchange: the answer -----------------------------------------------------------------------

Status Exchange::note_write(Status written) {
  if (!written) {
    broken_ = true;
    abandon();
  }
  return written;
}

bool Exchange::sends_body() const {
  return text_.request.method != "HEAD" && status_has_body(status_);
}

void Exchange::build_head(int status, std::string_view header_lines,
                          std::optional<uint64_t> content_length, bool chunked) {
  VSR_CHECK(!started_, "a second answer to one request");
  started_ = true;
  status_ = status;
  // A body that is not worth reading to its end costs the connection.
  if (body_unread() && (framing_ == Framing::kChunked ||
                        content_length_ > internal::kDiscardBytesMax || expects_continue_)) {
    keep_alive_ = false;
  }
  std::string& head = text_.answer_head;
  head = "HTTP/1.1 ";
  append_number(head, static_cast<uint64_t>(status));
  head.append(" ")
      .append(reason_phrase(status))
      .append("\r\n")
      .append(header_lines)
      .append(common_lines_);
  if (chunked) head += "transfer-encoding: chunked\r\n";
  if (content_length && status_has_body(status)) {
    head += "content-length: ";
    append_number(head, *content_length);
    head += "\r\n";
  }
  if (!keep_alive_) {
    head += "connection: close\r\n";
  } else if (text_.request.minor_version == 0) {
    head += "connection: keep-alive\r\n";
  }
  head += "\r\n";
}

net::Task<Status> Exchange::respond(int status, std::string_view header_lines,
                                    std::string_view body) {
  build_head(status, header_lines, body.size(), false);
  head_sent_ = finished_ = true;
  if (!sends_body()) body = {};
  std::string_view slice = body.substr(0, kWriteSliceBytes);
  const std::string_view first[] = {text_.answer_head, slice};
  Status sent = co_await stream_.write_all(first, loop().after(limits_.write));
  for (size_t at = slice.size(); sent && at < body.size(); at += slice.size()) {
    slice = body.substr(at, kWriteSliceBytes);
    const std::string_view next[] = {slice};
    sent = co_await stream_.write_all(next, loop().after(limits_.write));
  }
  co_return note_write(std::move(sent));
}

net::Task<Status> Exchange::start(int status, std::string_view header_lines,
                                  std::optional<uint64_t> content_length) {
  // HTTP/1.0 knows no chunks: the end of the connection ends the body.
  chunked_ = !content_length && text_.request.minor_version > 0 && status_has_body(status);
  if (!content_length && !chunked_ && status_has_body(status)) keep_alive_ = false;
  build_head(status, header_lines, content_length, chunked_);
  unsent_ = content_length;
  co_return Status{};
}

net::Task<Status> Exchange::write(std::span<const std::string_view> pieces) {
  VSR_CHECK(started_ && !finished_, "a write outside start() and finish()");
  return send_body(pieces, false);
}

net::Task<Status> Exchange::finish(std::span<const std::string_view> pieces) {
  VSR_CHECK(started_, "finish() before start()");
  return send_body(pieces, true);
}

net::Task<Status> Exchange::send_body(std::span<const std::string_view> pieces, bool last) {
  if (last && (finished_ || abandoned_)) co_return Status{};
  finished_ = last;
  if (broken_) co_return fail(ErrorCode::kClosed, "the client is gone", ErrorSource::kClient);
  size_t bytes = 0;
  for (const std::string_view piece : pieces) bytes += piece.size();
  const bool sends_bytes = bytes > 0 && sends_body();
  if (sends_bytes && unsent_) {
    VSR_CHECK(bytes <= *unsent_, "more bytes than start() announced");
    *unsent_ -= bytes;
  }
  if (last && unsent_.value_or(0) > 0 && sends_body()) abandon();
  std::string_view all[net::kPiecesMax];
  size_t count = 0;
  char size_line[24];
  if (!head_sent_) all[count++] = text_.answer_head;
  head_sent_ = true;
  if (sends_bytes && chunked_) {
    const auto end = std::to_chars(size_line, size_line + sizeof(size_line) - 2, bytes, 16).ptr;
    end[0] = '\r';
    end[1] = '\n';
    all[count++] = {size_line, static_cast<size_t>(end + 2 - size_line)};
  }
  for (size_t i = 0; sends_bytes && i < pieces.size(); ++i) {
    if (count + 2 > net::kPiecesMax) {
      const Status sent = note_write(
          co_await stream_.write_all({all, count}, loop().after(limits_.write), &client_gone_));
      if (!sent) co_return sent;
      count = 0;
    }
    all[count++] = pieces[i];
  }
  if (chunked_ && sends_body()) {
    constexpr std::string_view kChunkEnd = "\r\n";
    constexpr std::string_view kChunkAndBodyEnd = "\r\n0\r\n\r\n";
    if (sends_bytes) {
      all[count++] = last ? kChunkAndBodyEnd : kChunkEnd;
    } else if (last) {
      all[count++] = kChunkAndBodyEnd.substr(kChunkEnd.size());
    }
  }
  if (count == 0) co_return Status{};
  co_return note_write(
      co_await stream_.write_all({all, count}, loop().after(limits_.write), &client_gone_));
}

}  // namespace vsr::http
