#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <span>

#include "base/id.h"
#include "base/sha256.h"
#include "base/strings.h"
#include "store/replay.h"
#include "store/row.h"

namespace vsr::store {
namespace {

constexpr size_t kQueryBytesMax = 8192;
constexpr uint32_t kOffsetMax = 1'000'000;
constexpr size_t kCursorDigits = 32;

constexpr std::string_view kStatusNames = "running, completed, failed or aborted";
constexpr std::string_view kActionNames = "select, stay, switch, hard_lock, bypass, noop or none";
constexpr std::string_view kBucketNames = "minute, hour or day";

std::unexpected<Error> bad(std::string message) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), ErrorSource::kClient);
}

int hex_digit(char c) {
  if (is_ascii_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Nothing if a percent sign is not followed by two hex digits.
std::optional<std::string> decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

Status read_number(std::string_view name, std::string_view value, uint32_t least, uint32_t most,
                   uint32_t& out) {
  const char* const end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, out);
  if (error != std::errc() || at != end || out < least || out > most) {
    return bad(fmt::format("{} must be a whole number from {} to {}.", name, least, most));
  }
  return {};
}

Status read_time(std::string_view name, std::string_view value, UnixMillis& out) {
  out = parse_time(value);
  if (out < 0 || out > kTimeMax) {
    return bad(fmt::format(
        "{} must be a time like 2026-05-30T08:15:00Z (a plus sign written %2B) or seconds since "
        "1970.",
        name));
  }
  return {};
}

Status read_flag(std::string_view name, std::string_view value, bool& out) {
  out = value == "true" || value == "1";
  if (!out && value != "false" && value != "0") {
    return bad(fmt::format("{} must be true or false.", name));
  }
  return {};
}

// `names` is how the allowed values read in a message: "a, b or c".
Status read_choice(std::string_view name, std::string_view value, std::string_view names,
                   std::string& out) {
  out = value;
  std::string_view rest = names;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find_first_of(", "));
    if (word == value && word != "or") return {};
    rest.remove_prefix(word.size());
    const size_t next = rest.find_first_not_of(", ");
    rest = next == std::string_view::npos ? std::string_view() : rest.substr(next);
  }
  return bad(fmt::format("{} must be {}.", name, names));
}

Status read_cursor(std::string_view name, std::string_view value, std::string& out) {
  bool valid =
      value.size() == kCursorDigits && value.front() < '8' && value[kCursorDigits / 2] < '8';
  for (const char c : value) valid = valid && hex_digit(c) >= 0;
  if (!valid) {
    return bad(fmt::format("{} must be the next_cursor of an earlier list, unchanged.", name));
  }
  out = value;
  return {};
}

Status read_text(std::string_view, std::string_view value, std::string& out) {
  out = value;
  return {};
}

struct Parameter {
  std::string_view name;
  Status (*read)(std::string_view name, std::string_view value, ReplayQuery& out);
};

using Name = std::string_view;
using Given = std::string_view;
using Query = ReplayQuery;

constexpr auto kParameters = std::to_array<Parameter>({
    {"limit", [](Name n, Given v, Query& q) { return read_number(n, v, 1, kListMax, q.limit); }},
    {"cursor", [](Name n, Given v, Query& q) { return read_cursor(n, v, q.cursor); }},
    {"offset",
     [](Name n, Given v, Query& q) { return read_number(n, v, 0, kOffsetMax, q.offset); }},
    {"session_id", [](Name n, Given v, Query& q) { return read_text(n, v, q.session_id); }},
    {"conversation_id",
     [](Name n, Given v, Query& q) { return read_text(n, v, q.conversation_id); }},
    {"decision", [](Name n, Given v, Query& q) { return read_text(n, v, q.decision); }},
    {"model", [](Name n, Given v, Query& q) { return read_text(n, v, q.model); }},
    {"action", [](Name n, Given v, Query& q) { return read_choice(n, v, kActionNames, q.action); }},
    {"status", [](Name n, Given v, Query& q) { return read_choice(n, v, kStatusNames, q.status); }},
    {"from", [](Name n, Given v, Query& q) { return read_time(n, v, q.from); }},
    {"to", [](Name n, Given v, Query& q) { return read_time(n, v, q.to); }},
    {"search", [](Name n, Given v, Query& q) { return read_text(n, v, q.search); }},
    {"unsafe", [](Name n, Given v, Query& q) { return read_flag(n, v, q.unsafe.emplace(false)); }},
    {"details", [](Name n, Given v, Query& q) { return read_flag(n, v, q.details); }},
    {"bucket", [](Name n, Given v, Query& q) { return read_choice(n, v, kBucketNames, q.bucket); }},
});

std::string parameter_names() {
  std::vector<std::string> names;
  for (const auto& parameter : kParameters) names.emplace_back(parameter.name);
  return join(names, ", ");
}

// Reads one "name=value"; an empty value does not filter.
Status read_pair(std::string_view pair, std::array<bool, kParameters.size()>& seen,
                 ReplayQuery& out) {
  const size_t equals = std::min(pair.find('='), pair.size());
  const auto name = decode(pair.substr(0, equals));
  const auto value = decode(equals < pair.size() ? pair.substr(equals + 1) : std::string_view());
  if (!name || !value) {
    return bad("The query has a percent sign without two hex digits; write %25 for the sign.");
  }
  for (size_t i = 0; i < kParameters.size(); ++i) {
    if (kParameters[i].name != *name) continue;
    if (seen[i]) return bad(fmt::format("{} is given twice; give it once.", *name));
    seen[i] = true;
    return value->empty() ? Status() : kParameters[i].read(*name, *value, out);
  }
  return bad(fmt::format("There is no parameter of the name {}; there are {}.", name->substr(0, 64),
                         parameter_names()));
}

}  // namespace

Result<ReplayQuery> parse_replay_query(std::string_view query_string) {
  if (query_string.starts_with('?')) query_string.remove_prefix(1);
  if (query_string.size() > kQueryBytesMax) {
    return bad(fmt::format("The query is longer than {} bytes.", kQueryBytesMax));
  }
  ReplayQuery out;
  std::array<bool, kParameters.size()> seen{};
  for (const std::string_view pair : split(query_string, '&')) {
    if (pair.empty()) continue;
    if (const Status status = read_pair(pair, seen, out); !status) {
      return std::unexpected(status.error());
    }
  }
  if (!out.cursor.empty() && out.offset > 0) {
    return bad("cursor and offset exclude each other; use cursor to go on from a page.");
  }
  if (out.to > 0 && out.from >= out.to) return bad("from must be earlier than to.");
  return out;
}

std::string identity_hash(std::string_view raw) {
  constexpr size_t kHashBytes = 8;
  const std::array<uint8_t, 32> digest = sha256(raw);
  return to_hex(std::span<const uint8_t>(digest).first(kHashBytes));
}

}  // namespace vsr::store
