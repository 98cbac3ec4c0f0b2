#include "wire/request_reader.h"

#include <fmt/format.h>

namespace vsr::wire {

using json::Kind;

ApiError RequestReader::take_error() {
  if (!error_.code.empty()) return std::move(error_);
  return {400, "invalid_json", "",
          fmt::format("The request body is not valid JSON: {}.", reader_.error())};
}

std::string Param::str() const {
  std::string out = parent == nullptr ? std::string() : parent->str();
  if (!out.empty() && !name.empty()) out += '.';
  out += name;
  if (index != kNoIndex) out += fmt::format("[{}]", index);
  return out;
}

void RequestReader::error(std::string_view code, const Param& param, std::string_view what) {
  if (failed()) return;
  const std::string where = param.str();
  const std::string subject = where.empty() ? "The request body" : fmt::format("'{}'", where);
  error_ = {400, std::string(code), where, fmt::format("{} {}.", subject, what)};
  reader_.fail(code);
}

void RequestReader::wrong_type(const Param& param, std::string_view allowed) {
  const Kind found = reader_.kind();
  // A token that begins no value, or no token at all: the JSON is broken.
  if (found == Kind::kNone) return reader_.fail("expected a value");
  error("invalid_type", param,
        fmt::format("must be {}, but is {}", allowed, json::with_article(found)));
}

bool RequestReader::require(const Param& param, Kind kind, std::string_view or_else) {
  if (failed()) return false;
  if (reader_.kind() == kind) return true;
  std::string allowed(json::with_article(kind));
  if (!or_else.empty()) {
    allowed += or_else.starts_with("or ") ? " " : ", ";
    allowed += or_else;
  }
  wrong_type(param, allowed);
  return false;
}

bool RequestReader::skip_null() { return reader_.kind() == Kind::kNull && reader_.read_null(); }

void RequestReader::read_optional_string(const Param& param, std::string_view& out) {
  if (skip_null()) return;
  if (require(param, Kind::kString, "or null")) reader_.read_string(arena_, out);
}

void RequestReader::read_optional_bool(const Param& param, bool& out) {
  if (skip_null()) return;
  if (require(param, Kind::kBool, "or null")) reader_.read_bool(out);
}

}  // namespace vsr::wire
