#include "config/emit.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "config/scalar.h"

namespace vsr::config {
namespace {

constexpr size_t kFlowWidthMax = 90;

// A word that a YAML reader could take for a number, a truth value or nothing.
bool looks_typed(std::string_view text) {
  return text.empty() || text == "~" || iequals(text, "null") || parse_bool(text).has_value() ||
         iequals(text, "y") || iequals(text, "n") || text.starts_with("0x") ||
         parse_number(text).has_value();
}

bool needs_quotes(std::string_view text) {
  // Indicators at the start, and what ends a plain scalar in or out of a flow list.
  constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`<=. \t";
  if (text.empty() || kIndicators.find(text.front()) != std::string_view::npos) return true;
  if (text.back() == ' ' || text.back() == ':') return true;
  return std::ranges::any_of(text,
                             [](char c) {
                               return static_cast<unsigned char>(c) < 0x20 ||
                                      static_cast<unsigned char>(c) >= 0x7f ||
                                      std::string_view(",[]{}#\"'\\").find(c) !=
                                          std::string_view::npos;
                             }) ||
         text.find(": ") != std::string_view::npos;
}

class Emitter {
 public:
  explicit Emitter(const Comments& comments) : comments_(comments) {}

  std::string run(const Node& root) {
    if (root.kind == NodeKind::kScalar) return yaml_scalar(root.text, root.plain) + "\n";
    std::string line;
    const bool empty = root.entries.empty() && root.items.empty();
    if (empty && flow(root, line)) return line.substr(1) + "\n";
    block(root, 0);
    return std::move(out_);
  }

 private:
  void block(const Node& node, size_t indent) {
    for (const Entry& entry : node.entries) {
      out_.append(indent, ' ');
      out_ += yaml_scalar(entry.key, false);
      out_ += ':';
      below(*entry.value, indent + 2);
    }
    for (const Node* item : node.items) {
      out_.append(indent, ' ');
      out_ += '-';
      if (item->kind == NodeKind::kMapping && !item->entries.empty()) {
        // The first key stands behind the dash.
        const size_t start = out_.size();
        block(*item, indent + 2);
        out_.replace(start, indent + 2, " ");
      } else {
        below(*item, indent + 2);
      }
    }
  }

  // The value of a key or a dash, from behind the colon to the end of its lines.
  void below(const Node& node, size_t indent) {
    if (node.kind == NodeKind::kScalar) {
      end_line(' ' + yaml_scalar(node.text, node.plain), node);
      return;
    }
    std::string line;
    if (flow(node, line)) {
      end_line(line, node);
      return;
    }
    end_line("", node);
    block(node, indent);
  }

  void end_line(const std::string& text, const Node& node) {
    out_ += text;
    const auto comment = comments_.find(&node);
    if (comment != comments_.end()) out_ += "  # " + comment->second;
    out_ += '\n';
  }

  // Empty collections and short lists of scalars.
  static bool flow(const Node& node, std::string& line) {
    if (node.kind == NodeKind::kMapping) {
      line = " {}";
      return node.entries.empty();
    }
    line = " [";
    for (const Node* item : node.items) {
      if (item->kind != NodeKind::kScalar) return false;
      if (line.size() > 2) line += ", ";
      line += yaml_scalar(item->text, item->plain);
      if (line.size() > kFlowWidthMax) return false;
    }
    line += ']';
    return true;
  }

  const Comments& comments_;
  std::string out_;
};

}  // namespace

std::string yaml_scalar(std::string_view text, bool plain) {
  if (plain && text.empty()) return "null";
  if (!needs_quotes(text) && (plain || !looks_typed(text))) return std::string(text);
  // A negative or fractional number begins with an indicator and is plain all the same.
  if (plain && parse_number(text)) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string emit_yaml(const Node& root, const Comments& comments) {
  return Emitter(comments).run(root);
}

}  // namespace vsr::config
