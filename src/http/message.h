#pragma once

// Heads of HTTP/1.1 requests and responses: views into the connection's buffer, in order, without a
// copy of any of them. Parsing is llhttp's business; this is its result. Values.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vsr::http {

struct Header {
  std::string_view name;
  std::string_view value;
};

class Headers {
 public:
  // The first value of that name in any case, "" if there is none.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  size_t size() const { return items_.size(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  void add(std::string_view name, std::string_view value) { items_.push_back({name, value}); }
  void clear() { items_.clear(); }

 private:
  std::vector<Header> items_;
};

// Header lines to be sent, as they go over the wire. A value cannot break out of its line: control
// characters become spaces.
class HeaderText {
 public:
  HeaderText& add(std::string_view name, std::string_view value);
  const std::string& text() const { return text_; }
  operator std::string_view() const { return text_; }
  void clear() { text_.clear(); }

 private:
  std::string text_;
};

struct RequestHead {
  std::string_view method;
  std::string_view target;  // as sent
  std::string_view path;    // target without the query
  std::string_view query;   // without '?'
  int minor_version = 1;    // HTTP/1.x
  Headers headers;
};

struct ResponseHead {
  int status = 0;
  Headers headers;
};

std::string_view reason_phrase(int status);

}  // namespace vsr::http
