#pragma once

// What is wrong with a recipe, for people and for programs. A Diagnostic names the place (file,
// line, column, dotted path), what was found there and what is allowed. Diagnostics collects them
// while a recipe is read; it keeps the first kDiagnosticsMax and counts the rest. Values; no
// thread.

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace vsr::config {

enum class Severity : uint8_t { kError, kWarning, kNote };
std::string_view to_string(Severity severity);

constexpr size_t kDiagnosticsMax = 1'000;
// Longer texts of the file are cut in messages.
constexpr size_t kFoundTextMax = 80;

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string file;
  Position position;    // line 0: the file as a whole
  std::string path;     // "routing.decisions[2].rules.conditions[0].name"; "" = the file
  std::string message;  // a sentence without a full stop; says what to do where that is not clear
  std::string found;    // as written, "" if something is absent
  std::string allowed;  // "a number from 0 to 1", "tiered, priority or confidence"
};

// `file:line:column: error: path: message`
std::string format(const Diagnostic& diagnostic);
// One a line, and a closing line that counts them; "" for none.
std::string format_all(const std::vector<Diagnostic>& diagnostics);
// [{"severity","file","line","column","path","message","found","allowed"}, …]
std::string to_json(const std::vector<Diagnostic>& diagnostics);

bool has_errors(const std::vector<Diagnostic>& diagnostics);

// A piece of the file for a message: quoted, control characters as \xNN, cut at kFoundTextMax.
std::string quote(std::string_view text);
// "a, b or c"
std::string alternatives(const std::vector<std::string_view>& names);

class Diagnostics {
 public:
  explicit Diagnostics(std::string file) : file_(std::move(file)) {}

  void add(Severity severity, Position position, std::string path, std::string message,
           std::string found = {}, std::string allowed = {});
  bool has_errors() const { return errors_ > 0; }
  const std::string& file() const { return file_; }

  // Sorted by position, without repetitions; ends with a note when some were left out.
  std::vector<Diagnostic> take();

 private:
  std::string file_;
  std::vector<Diagnostic> list_;
  size_t errors_ = 0;
  size_t left_out_ = 0;
};

}  // namespace vsr::config
