#pragma once

// A node of the document together with its row of the key table and its path: how the code that
// builds a Config reads. Absent, null and mistyped values read as nothing, so that defaults stay
// (check.h has reported them). Asking for a key that has no row is a bug. Views point into the
// document and the key tree.

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/keys.h"
#include "config/yaml.h"

namespace vsr::config {

class View {
 public:
  View(const Node* node, const Key* key, Position position, std::string path)
      : node_(node), key_(key), position_(position), path_(std::move(path)) {}

  // Present and not null.
  explicit operator bool() const { return node_ != nullptr && !node_->is_null(); }
  // Where it is in the file; of an absent value, where its parent is.
  Position position() const { return position_; }
  const std::string& path() const { return path_; }
  const Node* node() const { return node_; }

  View operator[](std::string_view key) const;  // of a mapping
  std::vector<View> items() const;              // of a list, those of the right kind
  // Of a mapping, in the order of the file: names and values.
  std::vector<std::pair<std::string, View>> named() const;

  std::optional<std::string> text() const;
  // Of a list of texts, or of one text.
  std::vector<std::string> texts() const;
  std::optional<bool> boolean() const;
  std::optional<double> number() const;
  std::optional<int64_t> integer() const;
  std::optional<uint64_t> duration_ms() const;
  std::optional<uint64_t> tokens() const;
  std::optional<uint64_t> bytes() const;
  // The position of the text among the row's choices.
  std::optional<size_t> choice() const;

 private:
  const std::string* valid_text() const;

  const Node* node_;
  const Key* key_;
  Position position_;
  std::string path_;
};

// `into` keeps its value unless the key is there and of its type.
void read(const View& view, std::string& into);
void read(const View& view, bool& into);
void read(const View& view, double& into);
void read(const View& view, int& into);
void read(const View& view, uint32_t& into);
void read(const View& view, std::optional<double>& into);
void read(const View& view, std::vector<std::string>& into);
void read_tokens(const View& view, uint64_t& into);
void read_bytes(const View& view, uint64_t& into);
void read_duration(const View& view, uint64_t& into_ms);
void read_count(const View& view, uint64_t& into);
// Enumerators must stand in the order of the row's choices.
template <typename Enum>
void read_choice(const View& view, Enum& into) {
  if (const auto choice = view.choice()) into = static_cast<Enum>(*choice);
}

}  // namespace vsr::config
