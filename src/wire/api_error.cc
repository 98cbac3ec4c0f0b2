#include "wire/api_error.h"

#include "json/writer.h"

namespace vsr::wire {

std::string_view error_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 408:
      return "timeout_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 502:
    case 503:
    case 504:
      return "upstream_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

ApiError to_api_error(const Error& error) {
  const bool client = error.source == ErrorSource::kClient;
  const bool upstream = error.source == ErrorSource::kUpstream;
  const auto make = [&](int status, std::string_view code) {
    return ApiError{status, std::string(code), "", error.message};
  };
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kProtocol:
    case ErrorCode::kUnsupported:
      if (upstream) return make(502, "backend_protocol_error");
      return client ? make(400, "invalid_request") : make(500, "internal_error");
    case ErrorCode::kNotFound:
      return make(404, "not_found");
    case ErrorCode::kAlreadyExists:
      return make(409, "already_exists");
    case ErrorCode::kPermissionDenied:
      return make(403, "permission_denied");
    case ErrorCode::kUnauthenticated:
      return make(401, "invalid_api_key");
    case ErrorCode::kTooLarge:
      return upstream ? make(502, "backend_response_too_large") : make(413, "request_too_large");
    case ErrorCode::kRateLimited:
      return make(429, "rate_limit_exceeded");
    case ErrorCode::kTimeout:
      return client ? make(408, "request_timeout") : make(504, "backend_timeout");
    case ErrorCode::kUnavailable:
      return upstream ? make(502, "backend_unreachable") : make(503, "overloaded");
    case ErrorCode::kClosed:
    case ErrorCode::kIo:
      return upstream ? make(502, "backend_unreachable") : make(500, "internal_error");
    case ErrorCode::kCancelled:
      return make(503, "cancelled");
    case ErrorCode::kCorrupt:
    case ErrorCode::kInternal:
      break;
  }
  return make(500, "internal_error");
}

std::string error_body(const ApiError& error) {
  json::JsonWriter w;
  const auto text_or_null = [&](std::string_view key, const std::string& text) {
    if (text.empty()) {
      w.null_field(key);
    } else {
      w.field(key, text);
    }
  };
  w.begin_object().key("error").begin_object();
  w.field("message", error.message).field("type", error_type(error.status));
  text_or_null("code", error.code);
  text_or_null("param", error.param);
  w.end_object().end_object();
  return w.take();
}

std::string error_event(const ApiError& error) { return "data: " + error_body(error) + "\n\n"; }

}  // namespace vsr::wire
