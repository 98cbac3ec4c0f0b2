#pragma once

// What the readers of request bodies share: a JSON reader whose faults become an ApiError that
// names the parameter, what was found and what is allowed. One per body, on the stack.

#include <string>
#include <string_view>

#include "json/arena.h"
#include "json/reader.h"
#include "wire/api_error.h"

namespace vsr::wire {

// Where a value stands, put into words only when something is wrong with it. Lives on the stack of
// the function that walks there.
struct Param {
  static constexpr size_t kNoIndex = static_cast<size_t>(-1);

  const Param* parent = nullptr;
  std::string_view name;
  size_t index = kNoIndex;

  Param(std::string_view name_in) : name(name_in) {}  // NOLINT(google-explicit-constructor)
  template <size_t N>
  Param(const char (&literal)[N]) : name(literal) {}  // NOLINT(google-explicit-constructor)
  Param(std::string_view name_in, size_t index_in) : name(name_in), index(index_in) {}
  Param(const Param& parent_in, std::string_view name_in, size_t index_in = kNoIndex)
      : parent(&parent_in), name(name_in), index(index_in) {}
  // The same name with an index.
  Param element(size_t i) const {
    Param out = *this;
    out.index = i;
    return out;
  }
  // "messages[3].content[0].text"
  std::string str() const;
};

class RequestReader {
 public:
  RequestReader(json::Reader& reader, json::Arena& arena) : reader_(reader), arena_(arena) {}

 protected:
  bool failed() const { return reader_.failed(); }
  // Only after failed().
  ApiError take_error();

  // Records the first error and stops the reader. The message is "'param' " and `what`.
  void error(std::string_view code, const Param& param, std::string_view what);
  // "'param' must be <allowed>, but is a number."
  void wrong_type(const Param& param, std::string_view allowed);
  // True if the next value has this kind; otherwise an error. `or_else` is appended to what is
  // allowed. The empty name is the body itself.
  bool require(const Param& param, json::Kind kind, std::string_view or_else = {});

  // Steps over a null.
  bool skip_null();
  void read_optional_string(const Param& param, std::string_view& out);
  void read_optional_bool(const Param& param, bool& out);

  json::Reader& reader_;
  json::Arena& arena_;

 private:
  ApiError error_;
};

}  // namespace vsr::wire
