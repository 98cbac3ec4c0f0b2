#pragma once

// Error and Result<T>: how an expected failure travels. An Error says whose fault it is and whether
// trying again is safe, so that one function can turn it into an HTTP status and another can
// decide about a retry. Values; no thread; no limit but the length of the message.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace vsr {

// Names follow what a caller would do, not where it happened.
enum class ErrorCode : uint8_t {
  kInvalidArgument,  // the request or file is wrong
  kNotFound,
  kAlreadyExists,
  kPermissionDenied,
  kUnauthenticated,
  kTooLarge,
  kRateLimited,
  kTimeout,      // a deadline passed
  kUnavailable,  // nothing there to answer: refused, no endpoint, queue full
  kClosed,       // the other side ended the connection
  kProtocol,     // the other side broke its protocol
  kCancelled,
  kCorrupt,  // stored bytes are not what was written
  kIo,
  kUnsupported,
  kInternal,
};

enum class ErrorSource : uint8_t { kClient, kUpstream, kSelf };

enum class Retry : uint8_t {
  kNo,
  kIfReused,  // safe when the connection had been used before and no response byte arrived
  kYes,
};

std::string_view to_string(ErrorCode code);
std::string_view to_string(ErrorSource source);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  ErrorSource source = ErrorSource::kSelf;
  Retry retry = Retry::kNo;
  // One sentence for a person: what was wrong and what to do. No internals, no secrets.
  std::string message;
};

template <typename T>
using Result = std::expected<T, Error>;

using Status = Result<void>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message,
                                   ErrorSource source = ErrorSource::kSelf,
                                   Retry retry = Retry::kNo) {
  return std::unexpected(Error{code, source, retry, std::move(message)});
}

}  // namespace vsr
