// What the trained heads say: of the prompt for domains, difficulty and attacks, and of everything
// else that would be sent for attacks alone. N-grams read all of it; where the encoder has heads,
// it reads the windows that look worst to them, and only those.

#include <algorithm>
#include <cmath>

#include "signals/evaluation.h"
#include "text/hash.h"

namespace vsr::signals {

namespace {

// Windows of one other reading of a text, of one message, and of all messages of a request that the
// encoder reads: those that look worst to the n-grams.
constexpr size_t kWindowsOfView = 3;
constexpr size_t kWindowsOfMessage = 4;
constexpr size_t kWindowsOfHistory = 12;
// What users said last, read as one text: attacks that are spread over turns.
constexpr size_t kTurnsBytes = 2048;
// Other fields of a message are read from this length on: shorter ones are names and kinds.
constexpr size_t kFieldsBytesMin = 40;
// Where the encoder does not answer, n-grams alone decide below this P(attack): of the attacks that
// are found with it, on texts that nobody trained on, all are above. At and above it a rule is
// without an answer.
constexpr double kClearOfAttack = 0.1;

// What tools read is longer and wilder than what people write: source code, manuals, listings. Each
// doubling of a result's windows beyond kResultWindowsFree costs this much, as a logit, on top of
// what length costs anywhere. At this much no source file in sixty of Python's library is taken
// for an attack, and one in four without (models/README.md).
constexpr float kResultDoublingCost = 0.32F;
constexpr float kResultWindowsFree = 8;

double in_long_result(double attack, size_t windows) {
  const float doublings =
      std::log2(std::max(1.0F, static_cast<float>(windows) / kResultWindowsFree));
  const double logit = std::log(attack / (1 - attack));
  return 1 / (1 + std::exp(kResultDoublingCost * doublings - logit));
}

// The index of the view that looks worst to the n-grams.
size_t worst_of(std::span<const text::View> views, const nn::TextClassifier& classifier,
                nn::HeadLogits& lexical) {
  size_t worst = 0;
  for (size_t v = 0; v < views.size(); ++v) {
    nn::HeadLogits logits = classifier.read(views[v].text);
    if (v > 0 && logits.jailbreak <= lexical.jailbreak) continue;
    lexical = std::move(logits);
    worst = v;
  }
  return worst;
}

// The `count` windows with the highest attack, in any order.
void keep_worst(std::vector<nn::Window>& windows, size_t count) {
  if (windows.size() <= count) return;
  std::ranges::stable_sort(windows, std::ranges::greater(), &nn::Window::attack);
  windows.resize(count);
}

AttackReading reading_of(std::string_view text, nn::HeadLogits lexical, uint8_t view,
                         bool of_fields) {
  keep_worst(lexical.windows, kWindowsOfMessage);
  AttackReading out{view, of_fields, static_cast<uint32_t>(lexical.windows_total), {}};
  for (const nn::Window& window : lexical.windows) {
    out.windows.push_back({text::hash64(window.of(text)), window});
  }
  return out;
}

}  // namespace

VectorState Evaluation::window_of(std::string_view text, nn::EncoderColumns& out) {
  if (c_.parts.vectors->find_window(text::hash64(text), out)) return VectorState::kThere;
  if (input_.encoding == Encoding::kKnown) {
    ask_for(text, &TextToEncode::window);
    return VectorState::kWanted;
  }
  if (input_.encoding == Encoding::kOff) {
    s_.heads_problem = kEncoderBusy;
    return VectorState::kFailed;
  }
  if (const Status done = c_.parts.vectors->read_window(text, out); !done) {
    s_.heads_problem = done.error().message;
    return VectorState::kFailed;
  }
  return VectorState::kThere;
}

// All are looked up, so that all that are missing are asked for at once.
VectorState Evaluation::windows_of(std::string_view text, std::span<const nn::Window> windows,
                                   std::vector<nn::EncoderColumns>& out) {
  out.resize(windows.size());
  VectorState state = VectorState::kThere;
  for (size_t i = 0; i < windows.size(); ++i) {
    state = std::max(state, window_of(windows[i].of(text), out[i]));
    if (state == VectorState::kFailed) break;
  }
  return state;
}

// Tries once per request; later calls give the same answer.
VectorState Evaluation::prompt_heads() {
  if (s_.heads_state == VectorState::kUnknown) s_.heads_state = read_prompt_heads();
  return s_.heads_state;
}

VectorState Evaluation::read_prompt_heads() {
  if (!c_.classifier) {
    s_.heads_problem = kNoWeights;
    return VectorState::kFailed;
  }
  // A tool loop asks about the same prompt at every turn.
  const MessageResult* const known = find_message(input_.prompt_message);
  if (known != nullptr && known->heads) {
    s_.heads = *known->heads;
    return VectorState::kThere;
  }
  const nn::HeadLogits lexical = c_.classifier->read(input_.prompt);
  std::vector<nn::EncoderColumns> columns;
  const VectorState state = windows_of(input_.prompt, lexical.windows, columns);
  if (state == VectorState::kWanted) return state;
  if (state == VectorState::kFailed) {
    s_.heads = c_.classifier->by_ngrams(lexical);
    s_.heads_by_ngrams = s_.attack_by_ngrams = true;
    return VectorState::kThere;
  }
  s_.heads = c_.classifier->fuse(lexical, columns);
  if (input_.prompt_message >= 0) {
    auto fresh = known != nullptr ? std::make_shared<MessageResult>(*known)
                                  : std::make_shared<MessageResult>();
    fresh->heads = std::make_shared<const nn::HeadScores>(s_.heads);
    remember(static_cast<size_t>(input_.prompt_message), std::move(fresh));
  }
  return state;
}

bool Evaluation::need_heads(config::SignalId id, const config::RuleBase& rule) {
  const VectorState state = prompt_heads();
  if (state == VectorState::kFailed) error(id, rule, s_.heads_problem);
  if (s_.heads_by_ngrams) note_ngrams(id);
  return state == VectorState::kThere;
}

// The prompt as an attack, other readings included.
VectorState Evaluation::prompt_attack() {
  if (s_.attack_state != VectorState::kUnknown) return s_.attack_state;
  s_.attack_state = prompt_heads();
  s_.attack = s_.heads.jailbreak;
  const std::vector<text::View>& views = prompt_views();
  if (views.empty() || s_.attack_state == VectorState::kFailed) return s_.attack_state;
  nn::HeadLogits lexical;
  const text::View& view = views[worst_of(views, *c_.classifier, lexical)];
  if (!c_.classifier->uses_encoder()) {
    s_.attack = std::max<double>(s_.attack, c_.classifier->attack(lexical.jailbreak));
    return s_.attack_state;
  }
  keep_worst(lexical.windows, kWindowsOfView);
  double attack = 0;
  s_.attack_state = std::max(s_.attack_state, attack_of(view.text, lexical, attack));
  s_.attack = std::max(s_.attack, attack);
  return s_.attack_state;
}

VectorState Evaluation::attack_of(std::string_view text, const nn::HeadLogits& lexical,
                                  double& attack) {
  std::vector<nn::EncoderColumns> columns;
  const VectorState state = windows_of(text, lexical.windows, columns);
  if (state == VectorState::kWanted) return state;
  if (state == VectorState::kFailed) {
    attack = c_.classifier->attack(lexical.jailbreak);
    s_.attack_by_ngrams = true;
    return VectorState::kThere;
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    const double one = c_.classifier->attack(lexical.windows[i], columns[i][nn::kJailbreakColumn],
                                             lexical.windows_total);
    attack = std::max(attack, one);
  }
  return state;
}

void Evaluation::find_attack(const MessageText& text, MessageResult& out) {
  out.attack = 0;
  out.readings.clear();
  read_attack(text.text, false, out);
  read_attack(text.fields, true, out);
}

void Evaluation::read_attack(std::string_view text, bool of_fields, MessageResult& out) {
  if (of_fields && text.size() < kFieldsBytesMin) return;
  const std::vector<text::View> views = text::unmask(text);
  nn::HeadLogits plain = c_.classifier->read(text);
  nn::HeadLogits other;
  const size_t worst = worst_of(views, *c_.classifier, other);
  const double attack = c_.classifier->attack(
      views.empty() ? plain.jailbreak : std::max(plain.jailbreak, other.jailbreak));
  out.attack = std::max(out.attack, attack);
  if (!c_.classifier->uses_encoder()) return;
  out.readings.push_back(reading_of(text, std::move(plain), 0, of_fields));
  if (views.empty()) return;
  out.readings.push_back(
      reading_of(views[worst].text, std::move(other), static_cast<uint8_t>(worst + 1), of_fields));
}

// Everything but the text of the prompt.
VectorState Evaluation::history_attack() {
  if (s_.history_attack_state == VectorState::kUnknown) {
    s_.history_attack = 0;
    s_.history_attack_state = read_history_attack();
  }
  return s_.history_attack_state;
}

VectorState Evaluation::read_history_attack() {
  if (!c_.classifier) {
    s_.heads_problem = kNoWeights;
    return VectorState::kFailed;
  }
  std::vector<Suspect> suspects;
  size_t total = 0;  // windows of all messages
  for (size_t m = 0; m < input_.messages.size(); ++m) {
    const MessageResult* const result =
        is_prompt(m) ? prompt_fields(m) : message(m, MessageResult::kAttack);
    s_.failed |= result == nullptr;
    if (result == nullptr) continue;
    if (!c_.classifier->uses_encoder())
      s_.history_attack = std::max(s_.history_attack, result->attack);
    for (const AttackReading& reading : result->readings) {
      total += reading.windows_total;
      for (const AttackWindow& window : reading.windows) suspects.push_back({m, &reading, &window});
    }
  }
  if (!c_.classifier->uses_encoder()) return VectorState::kThere;
  const size_t kept = std::min(suspects.size(), kWindowsOfHistory);
  std::ranges::stable_sort(suspects, [](const Suspect& a, const Suspect& b) {
    return a.window->window.attack > b.window->window.attack;
  });
  suspects.resize(kept);
  VectorState state = turns_attack();
  for (const Suspect& suspect : suspects) {
    const nn::Window& window = suspect.window->window;
    nn::EncoderColumns columns;
    const VectorState one = suspect_columns(suspect, columns);
    if (one == VectorState::kWanted) state = one;
    if (one == VectorState::kWanted || s_.failed) continue;
    s_.attack_by_ngrams |= one == VectorState::kFailed;
    double attack = one == VectorState::kFailed
                        ? c_.classifier->attack(window.attack)
                        : c_.classifier->attack(window, columns[nn::kJailbreakColumn], total);
    // Not of n-grams alone: kClearOfAttack is theirs as they stand.
    if (one == VectorState::kThere && input_.messages[suspect.message].role == Role::kTool) {
      attack = in_long_result(attack, suspect.reading->windows_total);
    }
    s_.history_attack = std::max(s_.history_attack, attack);
  }
  return state;
}

// What came with the prompt: attached files. The prompt itself is told apart by its own scores, so
// this is no result of the message to be remembered.
const MessageResult* Evaluation::prompt_fields(size_t m) {
  s_.prompt_fields = {};
  if (!input_.messages[m].has_fields) return &s_.prompt_fields;
  const MessageText* const text = text_of(m);
  if (text == nullptr) return nullptr;
  read_attack(text->fields, true, s_.prompt_fields);
  return &s_.prompt_fields;
}

// The text of a message is read again only if the encoder does not know the window.
VectorState Evaluation::suspect_columns(const Suspect& suspect, nn::EncoderColumns& columns) {
  if (c_.parts.vectors->find_window(suspect.window->hash, columns)) return VectorState::kThere;
  const MessageText* const text = text_of(suspect.message);
  if (text == nullptr) {
    s_.failed = true;
    return VectorState::kFailed;
  }
  const nn::Window& window = suspect.window->window;
  const std::string_view read = suspect.reading->of_fields ? text->fields : text->text;
  if (suspect.reading->view == 0) return window_of(window.of(read), columns);
  const std::vector<text::View> views = text::unmask(read);
  return window_of(window.of(views[suspect.reading->view - 1U].text), columns);
}

bool Evaluation::is_clear_of_attack(const config::JailbreakRule& rule) const {
  const double attack = rule.include_history ? std::max(s_.attack, s_.history_attack) : s_.attack;
  return attack < kClearOfAttack;
}

bool Evaluation::read_all_heads() {
  const VectorState prompt = prompt_attack();
  const VectorState history = prompt == VectorState::kThere ? history_attack() : prompt;
  if (s_.failed) s_.heads_problem = kUnread;
  return history == VectorState::kThere && !s_.failed && !s_.attack_by_ngrams;
}

// What the user said in the last turns, as one text.
VectorState Evaluation::turns_attack() {
  std::string turns;
  size_t count = 0;
  for (size_t m = input_.messages.size(); m-- > 0 && turns.size() < kTurnsBytes;) {
    if (input_.messages[m].role != Role::kUser) continue;
    // What follows a tool's result is the agent's own prompting more often than a person's turn.
    if (m > 0 && input_.messages[m - 1].role == Role::kTool) continue;
    const MessageText* const text = text_of(m);
    if (text == nullptr || text->text.empty()) continue;
    turns.insert(0, 1, '\n');
    turns.insert(0, text->text.substr(0, kTurnsBytes));
    ++count;
  }
  if (count < 2) return VectorState::kThere;
  const nn::HeadLogits lexical = c_.classifier->read(turns);
  double attack = 0;
  const VectorState state = attack_of(turns, lexical, attack);
  s_.history_attack = std::max(s_.history_attack, attack);
  return state;
}

}  // namespace vsr::signals
