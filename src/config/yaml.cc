#include "config/yaml.h"

#include <fmt/format.h>
#include <libfyaml.h>

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "base/strings.h"

namespace vsr::config {
namespace {

struct ParserDelete {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};
struct DiagDelete {
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};

Position position_of(const fy_mark* mark) {
  return mark == nullptr ? Position{} : Position{mark->line + 1, mark->column + 1};
}

// Read piece by piece: fy_token_get_text() of libfyaml 0.7 loses memory on texts of many pieces.
std::string text_of(fy_token* token) {
  std::string text;
  if (token == nullptr) return text;
  fy_token_iter* pieces = fy_token_iter_create(token);
  if (pieces == nullptr) return text;
  const fy_iter_chunk* piece = nullptr;
  while ((piece = fy_token_iter_chunk_next(pieces, piece, nullptr)) != nullptr) {
    text.append(piece->str, piece->len);
  }
  fy_token_iter_destroy(pieces);
  return text;
}

// The length of the UTF-8 character at `at`, 0 if there is none or YAML does not allow it.
size_t character_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) -> uint32_t {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0;
  };
  const uint32_t first = byte(0);
  if (first < 0x80) {
    const bool allowed = first >= 0x20 || first == '\t' || first == '\n' || first == '\r';
    return allowed && first != 0x7f ? 1 : 0;
  }
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  uint32_t code = first & (0xffU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return overlong || surrogate || code > 0x10ffff ? 0 : length;
}

bool check_bytes(std::string_view text, Diagnostics& diagnostics) {
  if (text.size() > kYamlBytesMax) {
    diagnostics.add(
        Severity::kError, {}, "",
        fmt::format("the file has {} bytes; a recipe may have {}", text.size(), kYamlBytesMax),
        std::to_string(text.size()), fmt::format("at most {}", kYamlBytesMax));
    return false;
  }
  Position at{1, 1};
  for (size_t i = 0; i < text.size();) {
    const size_t length = character_length(text, i);
    if (length == 0) {
      const auto byte = static_cast<unsigned char>(text[i]);
      diagnostics.add(Severity::kError, at, "",
                      fmt::format("byte 0x{:02x} is not text; a recipe is UTF-8 without control "
                                  "characters",
                                  byte),
                      fmt::format("0x{:02x}", byte), "UTF-8 text");
      return false;
    }
    if (text[i] == '\n') {
      at = {at.line + 1, 1};
    } else {
      ++at.column;
    }
    i += length;
  }
  return true;
}

class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, Diagnostics& out) : text_(text), out_(out) {}

  Document build() {
    const fy_diag_cfg diag_cfg = quiet();
    diag_.reset(fy_diag_create(&diag_cfg));
    fy_diag_set_collect_errors(diag_.get(), true);
    fy_parse_cfg cfg = {};
    cfg.search_path = "";
    cfg.flags = static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_COLLECT_DIAG |
                                                FYPCF_DISABLE_DEPTH_LIMIT | FYPCF_JSON_NONE);
    cfg.diag = diag_.get();
    parser_.reset(fy_parser_create(&cfg));
    if (!parser_ || fy_parser_set_string(parser_.get(), text_.data(), text_.size()) != 0) {
      stop({}, "the YAML reader could not start");
    }
    while (!stopped_ && step()) {
    }
    if (!stopped_) report_syntax();
    if (stopped_) document_.set_root(nullptr);
    return std::move(document_);
  }

 private:
  struct Open {
    Node* node = nullptr;
    std::string key;
    Position key_position;
    bool has_key = false;
    std::vector<Node*> merges;
    std::unordered_map<std::string, Position> keys;
  };

  static fy_diag_cfg quiet() {
    fy_diag_cfg cfg = {};
    fy_diag_cfg_default(&cfg);
    cfg.fp = nullptr;
    cfg.colorize = false;
    return cfg;
  }

  void stop(Position position, std::string message, std::string found = {}) {
    if (!stopped_) {
      out_.add(Severity::kError, position, "", std::move(message), std::move(found));
    }
    stopped_ = true;
  }

  // False at the end of the stream or at a syntax error.
  bool step() {
    fy_event* event = fy_parser_parse(parser_.get());
    if (event == nullptr) return false;
    const bool more = event->type != FYET_STREAM_END;
    handle(event);
    fy_parser_event_free(parser_.get(), event);
    return more;
  }

  void handle(fy_event* event) {
    const Position position = position_of(fy_event_start_mark(event));
    switch (event->type) {
      case FYET_DOCUMENT_START:
        if (++documents_ > 1) stop(position, "a recipe is one YAML document; here a second begins");
        break;
      case FYET_SCALAR:
        scalar(event, position);
        break;
      case FYET_ALIAS:
        alias(text_of(event->alias.anchor), position);
        break;
      case FYET_MAPPING_START:
        open(NodeKind::kMapping, event->mapping_start.anchor, position);
        break;
      case FYET_SEQUENCE_START:
        open(NodeKind::kSequence, event->sequence_start.anchor, position);
        break;
      case FYET_MAPPING_END:
      case FYET_SEQUENCE_END:
        close();
        break;
      default:
        break;
    }
  }

  void scalar(fy_event* event, Position position) {
    fy_token* token = event->scalar.value;
    const fy_scalar_style style = fy_token_scalar_style(token);
    const bool plain = style == FYSS_PLAIN || style == FYSS_ANY;
    // The reader's marks leave quotes out.
    const size_t quotes = style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED ? 1 : 0;
    position.column -= static_cast<int>(quotes);
    std::string text = text_of(token);
    if (takes_key()) {
      key(std::move(text), position, plain);
      return;
    }
    Node* node = document_.make(NodeKind::kScalar, position);
    node->plain = plain;
    node->text = std::move(text);
    const fy_mark* begin = token == nullptr ? nullptr : fy_token_start_mark(token);
    const fy_mark* end = token == nullptr ? nullptr : fy_token_end_mark(token);
    node->block = style == FYSS_LITERAL || style == FYSS_FOLDED;
    if (begin != nullptr && end != nullptr) {
      node->begin = begin->input_pos - quotes;
      node->end = end->input_pos + quotes;
    }
    if (event->scalar.anchor != nullptr) anchors_[text_of(event->scalar.anchor)] = node;
    place(node);
  }

  void open(NodeKind kind, fy_token* anchor, Position position) {
    if (takes_key()) {
      stop(position, "a key must be a plain word here, not a list or a mapping");
      return;
    }
    if (open_.size() >= kYamlDepthMax) {
      stop(position, fmt::format("nested deeper than {} levels", kYamlDepthMax));
      return;
    }
    Node* node = document_.make(kind, position);
    // Known to aliases only once it is complete, so that it cannot contain itself.
    pending_anchors_.push_back(anchor == nullptr ? std::string() : text_of(anchor));
    place(node);
    open_.push_back({node, {}, {}, false, {}, {}});
  }

  void close() {
    if (open_.empty()) return;
    Open& done = open_.back();
    for (Node* from : done.merges) merge(*done.node, *from);
    measure(*done.node);
    if (!pending_anchors_.back().empty()) anchors_[pending_anchors_.back()] = done.node;
    pending_anchors_.pop_back();
    open_.pop_back();
  }

  void alias(const std::string& name, Position position) {
    if (takes_key()) {
      stop(position, "an alias cannot be a key");
      return;
    }
    const auto found = anchors_.find(name);
    if (found != anchors_.end()) {
      place(found->second);
      return;
    }
    const bool inside = std::ranges::find(pending_anchors_, name) != pending_anchors_.end();
    stop(position,
         inside ? fmt::format("alias *{} stands inside what it names", name)
                : fmt::format("alias *{} names no anchor before it", name),
         "*" + name);
  }

  bool takes_key() const {
    return !open_.empty() && open_.back().node->kind == NodeKind::kMapping && !open_.back().has_key;
  }

  void key(std::string text, Position position, bool plain) {
    Open& map = open_.back();
    map.has_key = true;
    map.key_position = position;
    if (plain && text == "<<") {
      map.key = "<<";
      merge_next_ = true;
      return;
    }
    map.key = std::move(text);
  }

  void place(Node* node) {
    if (open_.empty()) {
      if (document_.root() == nullptr) document_.set_root(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node->kind == NodeKind::kSequence) {
      parent.node->items.push_back(node);
      return;
    }
    parent.has_key = false;
    if (merge_next_) {
      merge_next_ = false;
      parent.merges.push_back(node);
      return;
    }
    const auto [earlier, is_new] = parent.keys.emplace(parent.key, parent.key_position);
    if (!is_new) {
      out_.add(Severity::kError, parent.key_position, "",
               fmt::format("key {} is already on line {}", quote(parent.key), earlier->second.line),
               parent.key, "each key once");
      return;
    }
    parent.node->entries.push_back({parent.key, parent.key_position, node, false});
  }

  // The dotted path of a key of the innermost open mapping.
  std::string path_to(std::string_view key) const {
    std::string path;
    for (size_t i = 0; i + 1 < open_.size(); ++i) {
      const Open& level = open_[i];
      if (level.node->kind == NodeKind::kSequence) {
        path += fmt::format("[{}]", level.node->items.size() - 1);
      } else {
        if (!path.empty()) path += '.';
        path += level.key;
      }
    }
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
  }

  // Keys of the mapping itself win over merged ones, earlier merges over later ones.
  void merge(Node& into, Node& from) {
    if (from.kind == NodeKind::kSequence) {
      for (Node* item : from.items) {
        if (item->kind == NodeKind::kMapping) {
          merge(into, *item);
        } else {
          stop(item->position, "<< takes a mapping or a list of mappings");
        }
      }
      return;
    }
    if (from.kind != NodeKind::kMapping) {
      stop(from.position, "<< takes a mapping or a list of mappings");
      return;
    }
    std::unordered_set<std::string_view> present;
    for (const Entry& entry : into.entries) present.insert(entry.key);
    std::vector<Entry> added;
    for (const Entry& entry : from.entries) {
      if (present.contains(entry.key)) continue;
      added.push_back(entry);
      added.back().merged = true;
    }
    merged_entries_ += added.size();
    if (merged_entries_ > kYamlNodesMax) {
      stop(from.position, fmt::format("more than {} merged keys", kYamlNodesMax));
      return;
    }
    into.entries.insert(into.entries.end(), std::make_move_iterator(added.begin()),
                        std::make_move_iterator(added.end()));
  }

  // What a walk from a node meets: aliases count each time they are followed.
  struct Extent {
    size_t nodes = 1;
    size_t height = 1;
  };

  void measure(const Node& node) {
    Extent extent;
    const auto add = [&](const Node* child) {
      const auto known = extents_.find(child);
      const Extent inner = known == extents_.end() ? Extent{} : known->second;
      extent.nodes = std::min(kYamlNodesMax + 1, extent.nodes + inner.nodes);
      extent.height = std::max(extent.height, inner.height + 1);
    };
    for (const Node* item : node.items) add(item);
    for (const Entry& entry : node.entries) add(entry.value);
    extents_.emplace(&node, extent);
    if (extent.nodes > kYamlNodesMax) {
      stop(node.position,
           fmt::format("more than {} values once aliases are followed", kYamlNodesMax));
    } else if (extent.height > kYamlDepthMax) {
      stop(node.position, fmt::format("nested deeper than {} levels", kYamlDepthMax));
    }
  }

  void report_syntax() {
    void* previous = nullptr;
    while (const fy_diag_error* error = fy_diag_errors_iterate(diag_.get(), &previous)) {
      // The reader's own summary of errors that it has listed already has no place.
      if (error->line <= 0 && stopped_) continue;
      stop({error->line, error->column}, fmt::format("not valid YAML: {}", error->msg));
    }
    if (!stopped_ && (fy_parser_get_stream_error(parser_.get()) || !open_.empty())) {
      stop({}, "not valid YAML");
    }
  }

  std::string_view text_;
  Diagnostics& out_;
  // The parser uses the diagnostics object, so it goes first.
  std::unique_ptr<fy_diag, DiagDelete> diag_;
  std::unique_ptr<fy_parser, ParserDelete> parser_;
  Document document_;
  std::vector<Open> open_;
  std::vector<std::string> pending_anchors_;
  std::unordered_map<std::string, Node*> anchors_;
  std::unordered_map<const Node*, Extent> extents_;
  size_t merged_entries_ = 0;
  int documents_ = 0;
  bool merge_next_ = false;
  bool stopped_ = false;
};

}  // namespace

bool Node::is_null() const {
  return kind == NodeKind::kScalar && plain && (text.empty() || text == "~" || text == "null");
}

Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return entry.value;
  }
  return nullptr;
}

Node* Document::make(NodeKind kind, Position position) {
  Node& node = nodes_.emplace_back();
  node.kind = kind;
  node.position = position;
  return &node;
}

Document parse_yaml(std::string_view text, Diagnostics& diagnostics) {
  if (!check_bytes(text, diagnostics)) return {};
  return TreeBuilder(text, diagnostics).build();
}

}  // namespace vsr::config
