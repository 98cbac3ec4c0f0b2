// Keys that show by their own shape what they are: provider prefixes, PEM blocks, password hashes.

#include "base/strings.h"
#include "signals/scan.h"
#include "signals/secret_text.h"

namespace vsr::signals {
namespace {

enum class Check : uint8_t {
  kPrefix,  // the prefix is proof enough
  kStrong,  // a short prefix: the rest must look random
  kHex32,   // exactly 32 hex digits follow
  kUpper,   // upper-case letters and digits
  kDotted,  // a dot and more must follow
  kJwt,
};

struct KeyShape {
  std::string_view prefix;
  Check check = Check::kPrefix;
  EntityType type = EntityType::kApiKey;
};

// Longer prefixes stand before the shorter ones that they begin with.
constexpr KeyShape kShapes[] = {
    {"sk_live_"},
    {"sk_test_"},
    {"rk_live_"},
    {"rk_test_"},
    {"whsec_"},
    {"sk-ant-"},
    {"sk-proj-"},
    {"sk-svcacct-"},
    {"sk-admin-"},
    {"sk-or-"},
    {"sk-", Check::kStrong},
    {"ghp_"},
    {"gho_"},
    {"ghu_"},
    {"ghs_"},
    {"ghr_"},
    {"github_pat_"},
    {"glpat-"},
    {"glrt-"},
    {"gldt-"},
    {"glptt-"},
    {"glcbt-"},
    {"glimt-"},
    {"glsoat-"},
    {"gloas-"},
    {"AKIA", Check::kUpper},
    {"ASIA", Check::kUpper},
    {"ABIA", Check::kUpper},
    {"AIza"},
    {"GOCSPX-"},
    {"ya29."},
    {"1//0"},
    {"xoxb-"},
    {"xoxp-"},
    {"xoxa-"},
    {"xoxr-"},
    {"xoxs-"},
    {"xoxe-"},
    {"xoxe.xox"},
    {"xapp-"},
    {"SG.", Check::kDotted},
    {"npm_"},
    {"pypi-"},
    {"rubygems_"},
    {"cio", Check::kStrong},
    {"hf_", Check::kStrong},
    {"r8_", Check::kStrong},
    {"gsk_", Check::kStrong},
    {"pplx-"},
    {"xai-", Check::kStrong},
    {"pcsk_"},
    {"lsv2_"},
    {"nvapi-"},
    {"tvly-"},
    {"jina_"},
    {"dapi", Check::kHex32},
    {"dop_v1_"},
    {"doo_v1_"},
    {"dor_v1_"},
    {"dp.pt."},
    {"dp.st."},
    {"dp.ct."},
    {"dp.sa."},
    {"hvs."},
    {"hvb."},
    {"hvr."},
    {"figd_"},
    {"shpat_"},
    {"shpss_"},
    {"shpca_"},
    {"shppa_"},
    {"lin_api_"},
    {"lin_oauth_"},
    {"ntn_"},
    {"secret_", Check::kStrong},
    {"nfp_"},
    {"NRAK-"},
    {"NRII-"},
    {"NRJS-"},
    {"glsa_"},
    {"glc_"},
    {"dckr_pat_"},
    {"dckr_oat_"},
    {"HRKU-"},
    {"key-", Check::kHex32},
    {"ATATT3"},
    {"ATCTT3"},
    {"EAACEdEose0cBA"},
    {"EAAA", Check::kStrong},
    {"sq0atp-"},
    {"sq0csp-"},
    {"SK", Check::kHex32},
    {"AGE-SECRET-KEY-1"},
    {"CFPAT-"},
    {"sbp_"},
    {"sb_secret_"},
    {"rnd_", Check::kStrong},
    {"tskey-"},
    {"PMAK-"},
    {"phx_"},
    {"sntrys_"},
    {"sntryu_"},
    {"dt0c01."},
    {"pul-"},
    {"exp_sk_"},
    {"fo1_"},
    {"ops_eyJ"},
    {"eyJ", Check::kJwt, EntityType::kAccessToken},
};

constexpr size_t kPairs = 4096;
constexpr size_t pair_of(char a, char b) { return static_cast<size_t>((a & 63) << 6 | (b & 63)); }
consteval std::array<bool, kPairs> first_pairs() {
  std::array<bool, kPairs> pairs{};
  for (const KeyShape& shape : kShapes) pairs[pair_of(shape.prefix[0], shape.prefix[1])] = true;
  return pairs;
}
constexpr std::array<bool, kPairs> kFirstPairs = first_pairs();

constexpr uint8_t kKeyBits = kWordBits | kDashBit;
constexpr size_t kStrongBytes = 20;  // letters only count as random from here

size_t run_of(std::string_view text, size_t start, uint8_t bits) {
  size_t end = start;
  while (end < text.size() && is_any(text[end], bits)) ++end;
  return end;
}

bool all_of(std::string_view text, uint8_t bits) {
  for (const char c : text) {
    if (!is_any(c, bits)) return false;
  }
  return true;
}

bool is_hex(std::string_view text, size_t length) {
  return text.size() == length && all_of(text, kDigitBit | kHexLetterBit);
}

// Where a JSON web token that starts at `start` ends; 0 if there is none.
size_t jwt_end(std::string_view text, size_t start) {
  constexpr size_t kPartBytesMin = 5;
  size_t at = start;
  for (int part = 0; part < 3; ++part) {
    const size_t end = run_of(text, at, kKeyBits);
    if (end - at < kPartBytesMin) return 0;
    if (part == 2) return run_of(text, end, kKeyBits);
    if (end >= text.size() || text[end] != '.') return 0;
    at = end + 1;
  }
  return 0;
}

bool looks_random(std::string_view value) {
  bool digit = false, lower = false, upper = false, dash = false;
  for (const char c : value) {
    digit = digit || is_any(c, kDigitBit);
    lower = lower || is_any(c, kLowerBit);
    upper = upper || is_any(c, kUpperBit);
    dash = dash || c == '-' || c == '_';
  }
  return digit || (lower && upper) || (value.size() >= kStrongBytes && !dash);
}

// The end of the key after `shape.prefix` at `start`, 0 if it is none.
size_t shape_end(std::string_view text, size_t start, const KeyShape& shape) {
  const size_t key = start + shape.prefix.size();
  if (shape.check == Check::kJwt) return jwt_end(text, start);
  size_t end = run_of(text, key, kKeyBits | kTokenBit);
  while (end > key && (text[end - 1] == '.' || text[end - 1] == '/' || text[end - 1] == '~')) --end;
  const std::string_view plain = text.substr(key, run_of(text, key, kKeyBits) - key);
  switch (shape.check) {
    case Check::kHex32:
      return is_hex(text.substr(key, run_of(text, key, kAlnumBits) - key), 32) ? key + 32 : 0;
    case Check::kUpper: {
      const size_t stop = run_of(text, key, kUpperBit | kDigitBit);
      const std::string_view value = text.substr(key, stop - key);
      if (value.size() < kKeyCharsMin || is_word_char(stop < text.size() ? text[stop] : ' ')) {
        return 0;
      }
      return value.size() == 16 || looks_random(value) ? stop : 0;
    }
    case Check::kDotted: {
      const size_t dot = key + plain.size();
      if (plain.size() < kKeyCharsMin || dot + 1 >= text.size() || text[dot] != '.') return 0;
      return is_word_char(text[dot + 1]) ? end : 0;
    }
    default:
      break;
  }
  if (plain.size() < kKeyCharsMin || is_key_placeholder(plain)) return 0;
  if (shape.check == Check::kStrong && !looks_random(plain)) return 0;
  return end;
}

// Keys without a prefix, told by lengths and separators. `run` is the run of word characters.
size_t unprefixed_end(std::string_view text, size_t start, size_t run_end) {
  const std::string_view run = text.substr(start, run_end - start);
  const auto follows = [&](std::string_view what) {
    return text.substr(run_end).starts_with(what);
  };
  const auto part_after = [&](size_t at, uint8_t bits) { return run_of(text, at, bits); };
  if (is_hex(run, 32) && follows("-us")) {  // Mailchimp
    const size_t end = part_after(run_end + 3, kDigitBit);
    return end > run_end + 3 ? end : 0;
  }
  if (run.size() == 34 && run.starts_with("AC") && is_hex(run.substr(2), 32) && follows(":")) {
    const size_t end = part_after(run_end + 1, kAlnumBits);  // Twilio account and its token
    return is_hex(text.substr(run_end + 1, end - run_end - 1), 32) ? end : 0;
  }
  if (run.size() == 14 && follows(".atlasv1.")) {  // Terraform
    const size_t end = part_after(run_end + 9, kKeyBits);
    return end > run_end + 9 + kStrongBytes ? end : 0;
  }
  if (run.size() == 17 && run.starts_with("pat") && follows(".")) {  // Airtable
    const size_t end = part_after(run_end + 1, kAlnumBits);
    return is_hex(text.substr(run_end + 1, end - run_end - 1), 64) ? end : 0;
  }
  if (run.size() >= 8 && run.size() <= 10 && all_of(run, kDigitBit) &&
      follows(":AA")) {  // Telegram
    const size_t end = part_after(run_end + 1, kKeyBits);
    return end - run_end - 1 >= 30 ? end : 0;
  }
  // Discord: three parts, the first an encoded number.
  if ((run[0] == 'M' || run[0] == 'N' || run[0] == 'O') && run.size() >= 20) {
    const size_t first = part_after(start, kKeyBits);
    if (first - start < 23 || first - start > 28 || first >= text.size() || text[first] != '.') {
      return 0;
    }
    const size_t second = part_after(first + 1, kKeyBits);
    if (second - first - 1 != 6 || second >= text.size() || text[second] != '.') return 0;
    const size_t third = part_after(second + 1, kKeyBits);
    return third - second - 1 >= 27 ? third : 0;
  }
  // Azure client secrets: three characters, digit, Q~.
  if (run.size() == 5 && run[4] == 'Q' && is_any(run[3], kDigitBit) && follows("~")) {
    const size_t end = part_after(run_end + 1, kKeyBits | kTokenBit);
    return end - run_end - 1 >= 31 ? end : 0;
  }
  return 0;
}

constexpr double kShapeConfidence = 0.95;

}  // namespace

size_t read_key(Scan& scan, size_t start, size_t run_end, uint8_t seen) {
  const std::string_view text = scan.text;
  const char previous = scan.before(start);
  if (previous == '-' || previous == '.') return 0;
  if (start + 1 < text.size() && kFirstPairs[pair_of(text[start], text[start + 1])]) {
    for (const KeyShape& shape : kShapes) {
      if (shape.prefix[0] != text[start] || !text.substr(start).starts_with(shape.prefix)) continue;
      const size_t end = shape_end(text, start, shape);
      if (end == 0) continue;
      scan.add(shape.type, start, end, kShapeConfidence);
      return end;
    }
  }
  const bool long_enough = run_end - start == 5 || run_end - start >= 8;
  if (!long_enough) return 0;
  // Without a digit only a key that goes on behind a dot is possible.
  if ((seen & kDigitBit) == 0 && (run_end >= text.size() || text[run_end] != '.')) return 0;
  const size_t end = unprefixed_end(text, start, run_end);
  if (end != 0) scan.add(EntityType::kApiKey, start, end, kShapeConfidence);
  return end;
}

size_t read_private_key(Scan& scan, size_t start) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kKey = "PRIVATE KEY";
  constexpr size_t kBodyBytesMin = 16;
  constexpr size_t kBlockBytesMax = 16 << 10;
  const std::string_view rest = scan.text.substr(start, kBlockBytesMax);
  if (!rest.starts_with(kBegin)) return 0;
  const std::string_view header = rest.substr(0, kBegin.size() + 48);
  const size_t key = header.find(kKey);
  if (key == std::string_view::npos) return 0;
  const size_t dashes = header.find("-----", key);
  if (dashes == std::string_view::npos) return 0;
  size_t end = dashes + 5;
  size_t body = 0;
  // Base64 lines, real or escaped line ends, header fields of old formats.
  while (end < rest.size() && (is_any(rest[end], kAlnumBits | kTokenBit | kSpaceBit) ||
                               rest[end] == '\\' || rest[end] == ':' || rest[end] == ',')) {
    body += is_alnum(rest[end]) ? 1 : 0;
    ++end;
  }
  if (body < kBodyBytesMin) return 0;
  if (rest.substr(end).starts_with("-----END ")) {
    const size_t close = rest.substr(end, 64).find("-----", 9);
    if (close != std::string_view::npos) end += close + 5;
  } else {
    while (end > 0 && is_any(rest[end - 1], kSpaceBit)) --end;
  }
  scan.add(EntityType::kPrivateKey, start, start + end, 0.99);
  return start + end;
}

size_t read_password_hash(Scan& scan, size_t start) {
  constexpr size_t kHashBytesMin = 30;
  const std::string_view rest = scan.text.substr(start);
  for (const std::string_view scheme :
       {"$2y$", "$2a$", "$2b$", "$apr1$", "$argon2", "$6$", "$5$"}) {
    if (!rest.starts_with(scheme)) continue;
    size_t end = scheme.size();
    while (end < rest.size() &&
           (is_any(rest[end], kAlnumBits | kTokenBit) || rest[end] == '$' || rest[end] == ',')) {
      ++end;
    }
    if (end - scheme.size() < kHashBytesMin) return 0;
    scan.add(EntityType::kPassword, start, start + end, 0.8);
    return start + end;
  }
  return 0;
}

}  // namespace vsr::signals
