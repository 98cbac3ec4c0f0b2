#include "signals/key_shapes.h"

#include <array>

#include "base/strings.h"
#include "signals/lexis.h"
#include "signals/secret_text.h"

namespace vsr::signals {
namespace {

enum class Check : uint8_t {
  kPrefix,  // the prefix is proof enough
  kStrong,  // a short prefix: the rest must look random
  kHex,     // exactly so many hex digits follow
  kUpper,   // upper-case letters and digits
  kAlnum,   // so many letters and digits or more, of both cases and with a digit
  kUuid,
  kAny,     // so many characters of any kind
  kDotted,  // a dot and more must follow
  kJwt,
};

struct KeyShape {
  std::string_view prefix;
  Check check = Check::kPrefix;
  uint8_t length = kKeyCharsMin;  // at least, after the prefix; of kHex exactly
  EntityType type = EntityType::kApiKey;
};

// Longer prefixes stand before the shorter ones that they begin with.
constexpr KeyShape kShapes[] = {
    // Payment.
    {"sk_live_"},
    {"sk_test_"},
    {"rk_live_"},
    {"rk_test_"},
    {"whsec_"},
    {"sq0atp-"},
    {"sq0csp-"},
    {"EAAA", Check::kStrong},
    {"rzp_live_"},
    {"rzp_test_"},
    {"live_", Check::kAlnum, 28},
    {"test_", Check::kAlnum, 28},
    {"access-production-", Check::kUuid},
    {"access-development-", Check::kUuid},
    {"access-sandbox-", Check::kUuid},
    {"access_token$"},
    {"FLWSECK_TEST-"},
    {"FLWSECK-"},
    {"EZAK", Check::kAlnum, 40},
    {"EZTK", Check::kAlnum, 40},
    {"APP_USR-", Check::kStrong, 24},
    {"duffel_live_"},
    {"duffel_test_"},
    {"shippo_live_"},
    {"shippo_test_"},
    // Language models and what belongs to them.
    {"sk-ant-"},
    {"sk-proj-"},
    {"sk-svcacct-"},
    {"sk-admin-"},
    {"sk-or-"},
    {"sk-", Check::kStrong},
    {"sess-", Check::kAlnum, 32},
    {"sk_", Check::kHex, 48},
    {"csk-", Check::kStrong, 32},
    {"hf_", Check::kStrong},
    {"api_org_", Check::kStrong, 24},
    {"r8_", Check::kStrong},
    {"gsk_", Check::kStrong},
    {"pplx-"},
    {"xai-", Check::kStrong},
    {"pcsk_"},
    {"lsv2_"},
    {"nvapi-"},
    {"tvly-"},
    {"jina_"},
    {"fc-", Check::kHex, 32},
    {"tgp_v1_"},
    {"fw_", Check::kAlnum, 20},
    {"llx-", Check::kStrong, 32},
    {"e2b_", Check::kHex, 40},
    {"rpa_", Check::kStrong, 32},
    {"pa-", Check::kStrong, 40},
    {"al-", Check::kStrong, 40},
    {"wandb_v1_"},
    {"AQ.Ab", Check::kStrong, 30},
    {"bedrock-api-key-"},
    {"ABSK", Check::kStrong, 60},
    // Forges.
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
    {"glagent-"},
    {"glft-"},
    {"glffct-"},
    {"ATBB", Check::kAlnum, 24},
    {"ATATT3"},
    {"ATCTT3"},
    {"sgp_", Check::kStrong, 32},
    // Clouds and platforms.
    {"AKIA", Check::kUpper},
    {"ASIA", Check::kUpper},
    {"ABIA", Check::kUpper},
    {"ACCA", Check::kUpper, 16},
    {"amzn.mws.", Check::kUuid},
    {"IQoJb3JpZ2lu", Check::kStrong, 60, EntityType::kAccessToken},
    {"FwoGZXIvYXdz", Check::kStrong, 60, EntityType::kAccessToken},
    {"AIza"},
    {"GOCSPX-"},
    {"ya29."},
    {"1//0"},
    {"LTAI", Check::kAlnum, 12},
    {"AKID", Check::kAlnum, 28},
    {"AQVN", Check::kStrong, 32},
    {"y0_A", Check::kStrong, 40},
    {"SCW", Check::kUpper, 17},
    {"dop_v1_"},
    {"doo_v1_"},
    {"dor_v1_"},
    {"HRKU-"},
    {"rnd_", Check::kStrong},
    {"nfp_"},
    {"fo1_"},
    {"fm2_", Check::kStrong, 40},
    {"fm1r_", Check::kStrong, 40},
    {"v1.0-", Check::kStrong, 100},
    {"vcp_", Check::kAlnum, 20},
    {"sha256~", Check::kStrong, 40, EntityType::kAccessToken},
    {"tskey-"},
    {"dapi", Check::kHex, 32},
    // Data bases.
    {"sbp_"},
    {"sb_secret_"},
    {"pscale_tkn_"},
    {"pscale_pw_"},
    {"pscale_oauth_"},
    {"napi_", Check::kStrong, 40},
    {"npg_", Check::kAlnum, 12},
    // Secret stores and infrastructure.
    {"hvs."},
    {"hvb."},
    {"hvr."},
    {"dp.pt."},
    {"dp.st.", Check::kStrong, 20},
    {"dp.ct."},
    {"dp.sa."},
    {"dp.scim."},
    {"dp.audit."},
    {"ops_eyJ"},
    {"pul-", Check::kHex, 40},
    {"AGE-SECRET-KEY-1"},
    {"pnu_", Check::kAlnum, 30},
    {"pnb_", Check::kAlnum, 30},
    // Packages.
    {"npm_", Check::kStrong},
    {"pypi-", Check::kStrong},
    {"rubygems_"},
    {"cio", Check::kAlnum, 32},
    {"oy2", Check::kStrong, 43},
    {"packagist_", Check::kStrong, 24},
    {"CLOJARS_", Check::kHex, 60},
    {"dckr_pat_"},
    {"dckr_oat_"},
    {"AKCp", Check::kAlnum, 60},
    {"cmVmdGtuO", Check::kAlnum, 40},
    // Chat, mail, social.
    {"xoxb-"},
    {"xoxp-"},
    {"xoxa-"},
    {"xoxr-"},
    {"xoxs-"},
    {"xoxd-"},
    {"xoxe-"},
    {"xoxe.xox"},
    {"xapp-"},
    {"SG.", Check::kDotted},
    {"key-", Check::kHex, 32},
    {"SK", Check::kHex, 32},
    {"xkeysib-"},
    {"xsmtpsib-"},
    {"dG9rO", Check::kAlnum, 50},
    {"EAACEdEose0cBA"},
    {"EAA", Check::kAlnum, 80},
    {"IGQV", Check::kAlnum, 80},
    {"AAAAAAAAAAAAAAAAAAAAA", Check::kStrong, 60},
    {"sl.B", Check::kStrong, 60},
    // Monitoring and CI.
    {"NRAK-"},
    {"NRII-"},
    {"NRJS-"},
    {"NRAL-"},
    {"glsa_"},
    {"glc_"},
    {"phx_"},
    {"sntrys_"},
    {"sntryu_"},
    {"dt0c01."},
    {"dt0s01."},
    {"dt0s16."},
    {"hcaik_"},
    {"hcxik_"},
    {"squ_", Check::kHex, 40},
    {"sqp_", Check::kHex, 40},
    {"sqa_", Check::kHex, 40},
    {"CCIPAT_"},
    {"CCIPRJ_"},
    {"bkua_", Check::kHex, 40},
    {"sdk-", Check::kUuid},
    {"mob-", Check::kUuid},
    {"api-", Check::kUuid},
    // Work tools.
    {"figd_"},
    {"shpat_"},
    {"shpss_"},
    {"shpca_"},
    {"shppa_"},
    {"lin_api_"},
    {"lin_oauth_"},
    {"ntn_"},
    {"secret_", Check::kStrong},
    {"CFPAT-"},
    {"PMAK-"},
    {"exp_sk_"},
    {"ATTA", Check::kHex, 72},
    {"tfp_", Check::kStrong, 40},
    {"rdme_", Check::kStrong, 40},
    {"aio_", Check::kAlnum, 24},
    {"pat-na1-", Check::kUuid},
    {"pat-na2-", Check::kUuid},
    {"pat-eu1-", Check::kUuid},
    {"django-insecure-", Check::kAny, 20},
    {"gAAAAAB", Check::kStrong, 60, EntityType::kAccessToken},
    {"sk.eyJ", Check::kStrong, 60},
    {"eyJ", Check::kJwt, kKeyCharsMin, EntityType::kAccessToken},
};

// The shapes that begin with a pair of characters: index + 1 of the first, and chains. Most runs of
// a text end at a pair that begins none.
constexpr size_t kPairs = 4096;
constexpr size_t pair_of(char a, char b) { return static_cast<size_t>((a & 63) << 6 | (b & 63)); }
static_assert(std::size(kShapes) < 255);
struct Chains {
  std::array<uint8_t, kPairs> first{};
  std::array<uint8_t, std::size(kShapes)> next{};
};
constexpr Chains kChains = [] {
  Chains chains;
  for (size_t i = std::size(kShapes); i-- > 0;) {
    uint8_t& first = chains.first[pair_of(kShapes[i].prefix[0], kShapes[i].prefix[1])];
    chains.next[i] = first;
    first = static_cast<uint8_t>(i + 1);
  }
  return chains;
}();

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

bool is_varied(std::string_view value) {
  uint8_t seen = 0;
  for (const char c : value) seen |= class_of(c);
  return (seen & kDigitBit) != 0 && (seen & kLetterBits) != 0;
}

// The end of upper-case letters and digits behind `key`, 0 if they are no key.
size_t upper_end(std::string_view text, size_t key, const KeyShape& shape) {
  const size_t stop = run_of(text, key, kUpperBit | kDigitBit);
  const std::string_view value = text.substr(key, stop - key);
  if (value.size() < shape.length || is_word_char(stop < text.size() ? text[stop] : ' ')) return 0;
  if (value.find("EXAMPLE") != std::string_view::npos) return 0;  // AKIAIOSFODNN7EXAMPLE
  return value.size() == 16 || looks_random(value) ? stop : 0;
}

// The end of the key after `shape.prefix` at `start`, 0 if it is none.
size_t shape_end(std::string_view text, size_t start, const KeyShape& shape) {
  const size_t key = start + shape.prefix.size();
  if (shape.check == Check::kJwt) return jwt_end(text, start);
  if (shape.check == Check::kUuid) return is_uuid_at(text, key) ? key + kUuidBytes : 0;
  if (shape.check == Check::kUpper) return upper_end(text, key, shape);
  if (shape.check == Check::kAny) {
    size_t end = key;
    while (end < text.size() && text[end] > ' ' && text[end] != '"' && text[end] != '\'') ++end;
    return end - key >= shape.length ? end : 0;
  }
  const size_t alnum = run_of(text, key, kAlnumBits);
  if (shape.check == Check::kHex) {
    return is_hex(text.substr(key, alnum - key), shape.length) ? alnum : 0;
  }
  if (shape.check == Check::kAlnum) {
    const std::string_view value = text.substr(key, alnum - key);
    return value.size() >= shape.length && is_varied(value) && !is_key_placeholder(value) ? alnum
                                                                                          : 0;
  }
  size_t end = run_of(text, key, kKeyBits | kTokenBit);
  while (end > key && (text[end - 1] == '.' || text[end - 1] == '/' || text[end - 1] == '~')) --end;
  const std::string_view plain = text.substr(key, run_of(text, key, kKeyBits) - key);
  if (shape.check == Check::kDotted) {
    const size_t dot = key + plain.size();
    if (plain.size() < kKeyCharsMin || dot + 1 >= text.size() || text[dot] != '.') return 0;
    return is_word_char(text[dot + 1]) ? end : 0;
  }
  // A short key is read up to its first dot; one that must be long may have more parts.
  const std::string_view value =
      shape.length > kKeyCharsMin && end > key ? text.substr(key, end - key) : plain;
  if (value.size() < shape.length || is_key_placeholder(value)) return 0;
  if (shape.check == Check::kStrong && !looks_random(value)) return 0;
  return end;
}

// Discord: three parts, the first an encoded number.
size_t discord_end(std::string_view text, size_t start) {
  const size_t first = run_of(text, start, kKeyBits);
  if (first - start < 23 || first - start > 28 || first >= text.size() || text[first] != '.') {
    return 0;
  }
  const size_t second = run_of(text, first + 1, kKeyBits);
  if (second - first - 1 < 6 || second - first - 1 > 7 || second >= text.size() ||
      text[second] != '.') {
    return 0;
  }
  const size_t third = run_of(text, second + 1, kKeyBits);
  return third - second - 1 >= 27 ? third : 0;
}

// Keys that begin with 32 hex digits.
size_t after_hex(std::string_view text, size_t run_end) {
  if (text.substr(run_end).starts_with("-us")) {  // Mailchimp
    const size_t end = run_of(text, run_end + 3, kDigitBit);
    return end > run_end + 3 ? end : 0;
  }
  if (text.substr(run_end).starts_with(".")) {  // Zhipu
    const size_t end = run_of(text, run_end + 1, kAlnumBits);
    return end - run_end - 1 == 16 && looks_random(text.substr(run_end + 1, 16)) ? end : 0;
  }
  return 0;
}

}  // namespace

bool is_uuid_at(std::string_view text, size_t at) {
  if (at + kUuidBytes > text.size()) return false;
  for (size_t i = 0; i < kUuidBytes; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[at + i] != '-' : !is_any(text[at + i], kDigitBit | kHexLetterBit)) return false;
  }
  return at + kUuidBytes == text.size() || !is_word_char(text[at + kUuidBytes]);
}

KeyAt key_with_prefix(std::string_view text, size_t start) {
  if (start + 1 >= text.size()) return {};
  for (uint8_t i = kChains.first[pair_of(text[start], text[start + 1])]; i != 0;
       i = kChains.next[i - 1]) {
    const KeyShape& shape = kShapes[i - 1];
    if (!text.substr(start).starts_with(shape.prefix)) continue;
    if (const size_t end = shape_end(text, start, shape); end != 0) return {end, shape.type};
  }
  return {};
}

size_t key_without_prefix(std::string_view text, size_t start, size_t run_end, uint8_t seen) {
  const std::string_view run = text.substr(start, run_end - start);
  if (run.size() != 5 && run.size() < 8) return 0;
  const auto follows = [&](std::string_view what) {
    return text.substr(run_end).starts_with(what);
  };
  if (run.size() >= 20 && (run[0] == 'M' || run[0] == 'N' || run[0] == 'O')) {
    if (const size_t end = discord_end(text, start); end != 0) return end;
  }
  if (run.size() == 14 && follows(".atlasv")) {  // Terraform
    const size_t dot = run_of(text, run_end + 7, kAlnumBits);
    const size_t end = run_of(text, dot + 1, kKeyBits);
    return dot < text.size() && text[dot] == '.' && end > dot + 1 + kStrongBytes ? end : 0;
  }
  if (run.size() == 17 && run.starts_with("pat") && follows(".")) {  // Airtable
    const size_t end = run_of(text, run_end + 1, kAlnumBits);
    return is_hex(text.substr(run_end + 1, end - run_end - 1), 64) ? end : 0;
  }
  if ((seen & kDigitBit) == 0) return 0;
  switch (run.size()) {
    case 5:  // Azure client secrets: three characters, digit, Q~.
      if (run[4] == 'Q' && is_any(run[3], kDigitBit) && follows("~")) {
        const size_t end = run_of(text, run_end + 1, kKeyBits | kTokenBit);
        return end - run_end - 1 >= 31 ? end : 0;
      }
      return 0;
    case 8:  // DeepL
      return is_uuid_at(text, start) && text.substr(start + kUuidBytes).starts_with(":fx")
                 ? start + kUuidBytes + 3
                 : 0;
    case 15:  // Salesforce sessions
      if (run.starts_with("00D") && follows("!")) {
        const size_t end = run_of(text, run_end + 1, kWordBits | kTokenBit);
        return end - run_end - 1 >= 80 ? end : 0;
      }
      return 0;
    case 32:
      return is_hex(run, 32) ? after_hex(text, run_end) : 0;
    case 34:  // Twilio account and its token
      if (run.starts_with("AC") && is_hex(run.substr(2), 32) && follows(":")) {
        const size_t end = run_of(text, run_end + 1, kAlnumBits);
        return is_hex(text.substr(run_end + 1, end - run_end - 1), 32) ? end : 0;
      }
      return 0;
    case 36:  // Resend: re_, eight characters, twenty-four
      return run.starts_with("re_") && run[11] == '_' && is_varied(run.substr(12)) ? run_end : 0;
    case 50:  // RapidAPI
    case 51:
      return run.substr(10, 3) == "msh" && run.substr(run.size() - 15, 3) == "jsn" ? run_end : 0;
    default:
      break;
  }
  // Telegram; its URLs write "bot" in front.
  const std::string_view id = run.starts_with("bot") ? run.substr(3) : run;
  if (id.size() >= 8 && id.size() <= 10 && follows(":") && all_of(id, kDigitBit)) {
    const size_t end = run_of(text, run_end + 1, kKeyBits);
    return end - run_end - 1 >= 34 && end - run_end - 1 <= 36 ? end : 0;
  }
  return 0;
}

}  // namespace vsr::signals
