#pragma once

// Compact bytes: whole numbers seven bits a byte, hashes and doubles in eight, texts behind their
// length. The writer's memory grows with what is written; the reader looks at bytes that outlive it
// and believes nothing of them: after the first failure everything is 0 and failed() says so.
// Byte order is the machine's. Values; no thread.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace vsr {

class PackedWriter {
 public:
  void byte(uint8_t value) { out_ += static_cast<char>(value); }
  void number(uint64_t value) {
    for (; value >= 0x80; value >>= 7) byte(static_cast<uint8_t>(value | 0x80));
    byte(static_cast<uint8_t>(value));
  }
  void time(UnixMillis value) { number(static_cast<uint64_t>(std::max<UnixMillis>(value, 0))); }
  void hash(uint64_t value) {
    char bytes[sizeof(value)];
    std::memcpy(bytes, &value, sizeof(value));
    out_.append(bytes, sizeof(bytes));
  }
  void real(double value) { hash(std::bit_cast<uint64_t>(value)); }
  void text(std::string_view value) {
    number(value.size());
    out_ += value;
  }

  void raw(std::string_view bytes) { out_ += bytes; }

  const std::string& bytes() const { return out_; }
  void clear() { out_.clear(); }  // keeps the memory
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class PackedReader {
 public:
  explicit PackedReader(std::string_view bytes) : bytes_(bytes) {}
  bool failed() const { return failed_; }
  bool at_end() const { return !failed_ && at_ == bytes_.size(); }

  uint8_t byte() {
    if (!has(1)) return 0;
    return static_cast<uint8_t>(bytes_[at_++]);
  }
  uint64_t number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t next = byte();
      value |= uint64_t{next & 0x7fU} << shift;
      if ((next & 0x80) == 0) return value;
    }
    failed_ = true;
    return 0;
  }
  uint32_t small() { return static_cast<uint32_t>(std::min<uint64_t>(number(), UINT32_MAX)); }
  UnixMillis time() { return static_cast<UnixMillis>(number() & INT64_MAX); }
  uint64_t hash() {
    uint64_t value = 0;
    if (!has(sizeof(value))) return 0;
    std::memcpy(&value, bytes_.data() + at_, sizeof(value));
    at_ += sizeof(value);
    return value;
  }
  double real() { return std::bit_cast<double>(hash()); }
  std::string text() {
    const uint64_t size = number();
    if (!has(size)) return {};
    std::string value(bytes_.substr(at_, size));
    at_ += size;
    return value;
  }
  // A count of things that have at least `bytes` bytes each.
  size_t count(size_t bytes) {
    const uint64_t value = number();
    if (value > bytes_.size() / bytes) failed_ = true;
    return failed_ ? 0 : static_cast<size_t>(value);
  }

 private:
  bool has(uint64_t bytes) {
    failed_ = failed_ || bytes > bytes_.size() - at_;
    return !failed_;
  }

  std::string_view bytes_;
  size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace vsr
