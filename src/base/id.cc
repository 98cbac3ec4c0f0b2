#include "base/id.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace vsr {

namespace {
constexpr char kDigits[] = "0123456789abcdef";

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
}  // namespace

void random_bytes(std::span<uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      VSR_CHECK(errno == EINTR, "getrandom: {}", std::strerror(errno));
      continue;
    }
    out = out.subspan(static_cast<size_t>(got));
  }
}

Id128 random_id() {
  constexpr size_t kBlockIds = 64;
  thread_local std::array<uint8_t, kBlockIds * sizeof(Id128)> block;
  thread_local size_t next = block.size();
  if (next == block.size()) {
    random_bytes(block);
    next = 0;
  }
  Id128 id;
  std::memcpy(id.bytes.data(), block.data() + next, sizeof(id.bytes));
  std::memset(block.data() + next, 0, sizeof(id.bytes));
  next += sizeof(id.bytes);
  return id;
}

std::string to_hex(std::span<const uint8_t> bytes) {
  std::string out(bytes.size() * 2, '0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    out[2 * i] = kDigits[bytes[i] >> 4];
    out[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return out;
}

std::string to_hex(uint64_t value) {
  std::string out(16, '0');
  for (int i = 15; i >= 0; --i, value >>= 4) out[i] = kDigits[value & 15];
  return out;
}

std::string Id128::hex() const { return to_hex(std::span<const uint8_t>(bytes)); }

bool parse_id(std::string_view text, Id128& out) {
  if (text.size() != 2 * sizeof(out.bytes)) return false;
  for (size_t i = 0; i < sizeof(out.bytes); ++i) {
    const int high = digit_value(text[2 * i]);
    const int low = digit_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out.bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

}  // namespace vsr
