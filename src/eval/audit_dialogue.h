#pragma once

// What a simulated agent says and is answered in one conversation: bodies of chat requests in the
// shapes that real clients send, and the answers that a simulated backend is told to give. Values;
// one thread. The same draws give the same bytes.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eval/split_mix.h"

namespace vsr::eval {

// The dice of one session.
class Draws {
 public:
  explicit Draws(uint64_t seed) : numbers_(seed) {}
  uint64_t next() { return numbers_.next(); }
  size_t below(size_t n) { return static_cast<size_t>(next() % n); }
  bool percent(size_t chance) { return below(100) < chance; }

 private:
  SplitMix numbers_;
};

// An answer to ask for: what the backend is told, and what goes into the history afterwards.
struct PlannedAnswer {
  std::string script;   // one answer of a script, see sim/script.h
  std::string message;  // the assistant message
  std::vector<std::string> call_ids;
  std::vector<std::string> opaque;  // texts of its opaque items
};

class Dialogue {
 public:
  // `name` is unlike any other's: ids and first messages carry it.
  Dialogue(std::string name, std::string system, size_t tools, Draws draws);

  // A prompt of a person, at times with an envelope around it.
  void say(std::string_view prompt);
  void say_private();
  PlannedAnswer plan(size_t calls, bool with_opaque);
  void take(const PlannedAnswer& answer) { messages_.push_back(answer.message); }
  // Results of these calls, at times with a harness's prompt behind them.
  void add_results(const std::vector<std::string>& call_ids);
  std::string body(std::string_view model, bool stream, std::string_view cache_key = {}) const;
  // The whole history to somebody without tools, as clients do for titles and summaries.
  std::string side_request(std::string_view task, bool with_history,
                           std::string_view cache_key) const;

  const std::string& name() const { return name_; }
  // The same history under another name, so that what follows has ids of its own.
  Dialogue renamed(std::string name) const;
  Draws& draws() { return draws_; }

 private:
  std::string content(std::string_view text);

  std::string name_;
  std::string system_;
  size_t tools_;
  Draws draws_;
  std::vector<std::string> messages_;
  size_t answers_ = 0;
};

}  // namespace vsr::eval
