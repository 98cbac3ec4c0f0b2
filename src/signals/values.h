#pragma once

// What an evaluation of signals gives: one value per SignalId, and what a person wants to see of
// how it came about. Filled in stages by Engine::evaluate; the memory is kept between requests.
// Views point into the Config of the engine. One thread.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/signal.h"
#include "signals/entity.h"

namespace vsr::signals {

// Keyword, pattern or entity type by which a signal matched.
struct Evidence {
  config::SignalId signal = config::kNoSignal;
  std::string_view what;
};

struct SignalError {
  config::SignalId signal = config::kNoSignal;
  std::string message;
};
// In one word, for counters: "timeout", "unavailable", "unread" or "failed".
std::string_view reason_of(const SignalError& error);

// Where an entity was found: part 0 is the text of the message, then its arguments, then its extra
// texts, in the order of MessageText. Message -1 is a prompt that belongs to no message.
struct FoundEntity {
  Entity entity;
  int32_t message = -1;
  uint32_t part = 0;
};

// What is asked of the encoder: the vector of a text, the opinion of its heads, or both.
struct TextToEncode {
  std::string text;
  bool vector = false;
  bool window = false;
};

struct Values {
  std::vector<config::SignalValue> signals;  // by SignalId; projections stay unevaluated
  std::vector<Evidence> evidence;            // of matched signals, in order of evaluation
  std::vector<SignalError> errors;
  std::vector<FoundEntity> entities;  // of every text read so far, allowed types included

  // Empty and 0 until a language signal was evaluated.
  std::string_view language;  // ISO 639-1
  double language_confidence = 0;

  // Encoding::kKnown, and rules that were wanted need these texts encoded: do so and begin again.
  // Those rules are not evaluated. No text occurs twice.
  std::vector<TextToEncode> texts_to_encode;

  uint64_t context_tokens = 0;
  std::array<uint32_t, config::kSignalTypes> microseconds{};  // spent by type of signal
  uint32_t messages_cached = 0;  // messages whose results came from the cache
  uint32_t messages_read = 0;

  void clear(size_t signal_count);
};

}  // namespace vsr::signals
