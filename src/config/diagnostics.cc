#include "config/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <tuple>

namespace vsr::config {
namespace {

// Bytes below 0x20, quotes and backslashes escaped as in JSON.
void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

std::string_view to_string(Severity severity) {
  constexpr std::array<std::string_view, 3> kNames = {"error", "warning", "note"};
  return kNames[static_cast<size_t>(severity)];
}

std::string format(const Diagnostic& diagnostic) {
  std::string out = diagnostic.file;
  if (diagnostic.position.line > 0) {
    fmt::format_to(std::back_inserter(out), ":{}:{}", diagnostic.position.line,
                   diagnostic.position.column);
  }
  fmt::format_to(std::back_inserter(out), ": {}: ", to_string(diagnostic.severity));
  if (!diagnostic.path.empty()) fmt::format_to(std::back_inserter(out), "{}: ", diagnostic.path);
  return out + diagnostic.message;
}

std::string format_all(const std::vector<Diagnostic>& diagnostics) {
  std::string out;
  std::array<size_t, 3> counts{};
  for (const Diagnostic& diagnostic : diagnostics) {
    out += format(diagnostic);
    out += '\n';
    ++counts[static_cast<size_t>(diagnostic.severity)];
  }
  if (out.empty()) return out;
  std::vector<std::string> parts;
  for (size_t severity = 0; severity < counts.size(); ++severity) {
    if (counts[severity] == 0) continue;
    parts.push_back(fmt::format("{} {}{}", counts[severity],
                                to_string(static_cast<Severity>(severity)),
                                counts[severity] == 1 ? "" : "s"));
  }
  return out + fmt::format("{}\n", fmt::join(parts, ", "));
}

std::string to_json(const std::vector<Diagnostic>& diagnostics) {
  std::string out = "[";
  for (const Diagnostic& diagnostic : diagnostics) {
    if (out.size() > 1) out += ',';
    out += "{\"severity\":";
    append_json_string(out, to_string(diagnostic.severity));
    out += ",\"file\":";
    append_json_string(out, diagnostic.file);
    fmt::format_to(std::back_inserter(out), ",\"line\":{},\"column\":{}", diagnostic.position.line,
                   diagnostic.position.column);
    out += ",\"path\":";
    append_json_string(out, diagnostic.path);
    out += ",\"message\":";
    append_json_string(out, diagnostic.message);
    out += ",\"found\":";
    append_json_string(out, diagnostic.found);
    out += ",\"allowed\":";
    append_json_string(out, diagnostic.allowed);
    out += '}';
  }
  return out + "]";
}

bool has_errors(const std::vector<Diagnostic>& diagnostics) {
  return std::ranges::any_of(diagnostics,
                             [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  bool cut = text.size() > kFoundTextMax;
  if (cut) {
    size_t end = kFoundTextMax;  // not inside a UTF-8 character
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text = text.substr(0, end);
  }
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + (cut ? "…\"" : "\"");
}

std::string alternatives(const std::vector<std::string_view>& names) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

void Diagnostics::add(Severity severity, Position position, std::string path, std::string message,
                      std::string found, std::string allowed) {
  if (severity == Severity::kError) ++errors_;
  if (list_.size() >= kDiagnosticsMax) {
    ++left_out_;
    return;
  }
  list_.push_back({severity, file_, position, std::move(path), std::move(message), std::move(found),
                   std::move(allowed)});
}

std::vector<Diagnostic> Diagnostics::take() {
  const auto key = [](const Diagnostic& d) {
    return std::tie(d.position.line, d.position.column, d.severity, d.path, d.message);
  };
  std::ranges::sort(list_, [&](const auto& a, const auto& b) { return key(a) < key(b); });
  const auto repeated =
      std::ranges::unique(list_, [&](const auto& a, const auto& b) { return key(a) == key(b); });
  list_.erase(repeated.begin(), repeated.end());
  if (left_out_ > 0) {
    // An error among the ones left out must still make the list one with errors.
    const bool error = errors_ > 0 && !vsr::config::has_errors(list_);
    list_.push_back({error ? Severity::kError : Severity::kNote,
                     file_,
                     {},
                     "",
                     fmt::format("{} more problems are not shown", left_out_),
                     "",
                     ""});
  }
  return std::move(list_);
}

}  // namespace vsr::config
