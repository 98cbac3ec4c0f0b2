// Keys that show by their own shape what they are: provider prefixes, PEM blocks, password hashes.

#include "base/strings.h"
#include "signals/key_shapes.h"
#include "signals/scan.h"
#include "signals/secret_text.h"

namespace vsr::signals {
namespace {

constexpr double kShapeConfidence = 0.95;

}  // namespace

size_t read_key(Scan& scan, size_t start, size_t run_end, uint8_t seen) {
  const char previous = scan.before(start);
  if (previous == '-' || previous == '.') return 0;
  if (const KeyAt key = key_with_prefix(scan.text, start); key.end != 0) {
    scan.add(key.type, start, key.end, kShapeConfidence);
    return key.end;
  }
  const size_t end = key_without_prefix(scan.text, start, run_end, seen);
  if (end != 0) scan.add(EntityType::kApiKey, start, end, kShapeConfidence);
  return end;
}

size_t read_private_key(Scan& scan, size_t start) {
  constexpr size_t kBodyBytesMin = 16;
  constexpr size_t kBlockBytesMax = 16 << 10;
  const std::string_view rest = scan.text.substr(start, kBlockBytesMax);
  // "---- BEGIN SSH2 …" has a dash less, and blanks.
  size_t begin = 0;
  while (begin < rest.size() && rest[begin] == '-') ++begin;
  if (begin < 4 || begin > 5) return 0;
  begin = rest.substr(begin).starts_with(" ") ? begin + 1 : begin;
  if (!rest.substr(begin).starts_with("BEGIN ")) return 0;
  const std::string_view header = rest.substr(0, begin + 64);
  size_t key = header.find("PRIVATE KEY");
  if (key == std::string_view::npos) key = header.find("OpenVPN Static key");
  if (key == std::string_view::npos) return 0;
  const size_t dashes = header.find("----", key);
  if (dashes == std::string_view::npos) return 0;
  size_t end = dashes + 4;
  while (end < rest.size() && rest[end] == '-') ++end;
  size_t body = 0;
  // Base64 lines, real or escaped line ends, header fields of old formats.
  while (end < rest.size() &&
         (is_any(rest[end], kAlnumBits | kTokenBit | kSpaceBit) || rest[end] == '\\' ||
          rest[end] == ':' || rest[end] == ',' || rest[end] == '"')) {
    body += is_alnum(rest[end]) ? 1 : 0;
    ++end;
  }
  if (body < kBodyBytesMin) return 0;
  const std::string_view tail = rest.substr(end, 96);
  if (tail.starts_with("-----END ") || tail.starts_with("---- END ")) {
    const size_t close = tail.find("----", 9);
    if (close != std::string_view::npos) end += close + (tail.starts_with("-----") ? 5 : 4);
  } else {
    while (end > 0 && (is_any(rest[end - 1], kSpaceBit) || rest[end - 1] == '"')) --end;
  }
  scan.add(EntityType::kPrivateKey, start, start + end, 0.99);
  return start + end;
}

size_t read_putty_key(Scan& scan, size_t start) {
  constexpr size_t kFileBytesMax = 8 << 10;
  const std::string_view rest = scan.text.substr(start, kFileBytesMax);
  if (!rest.starts_with("PuTTY-User-Key-File-")) return 0;
  size_t end = rest.find("Private-Lines:");
  if (end == std::string_view::npos) return 0;
  const size_t mac = rest.find("Private-MAC:", end);
  if (mac != std::string_view::npos) end = mac;
  const size_t line = rest.find('\n', end);
  end = line == std::string_view::npos ? rest.size() : line;
  scan.add(EntityType::kPrivateKey, start, start + end, 0.99);
  return start + end;
}

size_t read_password_hash(Scan& scan, size_t start) {
  constexpr size_t kHashBytesMin = 30;
  constexpr size_t kDigestBytesMin = 24;
  const std::string_view rest = scan.text.substr(start);
  for (const std::string_view scheme :
       {"$2y$",  "$2a$",  "$2b$",   "$2x$",     "$apr1$",   "$argon2", "$6$",
        "$5$",   "$1$",   "$y$",    "$gy$",     "$7$",      "$pbkdf2", "$scrypt",
        "{SSHA", "{SHA}", "{SMD5}", "{SHA512}", "{SHA256}", "{PBKDF2"}) {
    if (!rest.starts_with(scheme)) continue;
    size_t end = scheme.size();
    while (end < rest.size() && (is_any(rest[end], kAlnumBits | kTokenBit) || rest[end] == '$' ||
                                 rest[end] == ',' || (scheme[0] == '{' && rest[end] == '}'))) {
      ++end;
    }
    if (end - scheme.size() < (scheme[0] == '{' ? kDigestBytesMin : kHashBytesMin)) continue;
    scan.add(EntityType::kPassword, start, start + end, 0.8);
    return start + end;
  }
  return 0;
}

}  // namespace vsr::signals
