#pragma once

// One call of Engine::evaluate: reads rules, works in a Scratch::State and fills Values. Internal
// to the room: rules.cc has one function per type of signal, history.cc what they share. Lives on
// the stack; everything it refers to outlives it.

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "signals/compiled.h"
#include "signals/message_cache.h"
#include "text/terms.h"
#include "text/unmask.h"

namespace vsr::signals {

// How near the prompt is to a knowledge base, as its thresholds compare it.
struct KbScores {
  std::vector<double> labels;  // by label
  std::vector<double> groups;  // by group: that of its best label
  double best = 0;
  double best_matched = 0;  // of the labels that reach their threshold
};

// How far what was asked of the encoder has come; the later, the worse.
enum class VectorState : uint8_t { kUnknown, kThere, kWanted, kFailed };

// What was worked out so far of one request.
struct Scratch::State {
  // Of the prompt.
  TextPatterns patterns;
  bool words_done = false;
  WordList words;
  bool phrases_done = false;
  std::vector<double> phrase_scores;
  VectorState heads_state = VectorState::kUnknown;
  nn::HeadScores heads;
  bool heads_by_ngrams = false;  // the encoder did not answer
  std::string heads_problem;
  VectorState attack_state = VectorState::kUnknown;
  double attack = 0;
  bool attack_by_ngrams = false;  // somewhere in the request
  MessageResult prompt_fields;    // kAttack: what came with the prompt
  bool entities_done = false;
  std::vector<Entity> entities;
  bool views_done = false;
  std::vector<text::View> views;  // other readings of the prompt
  std::vector<TextPatterns> view_patterns;
  VectorState vector_state = VectorState::kUnknown;
  std::vector<float> vector;
  std::string vector_problem;
  bool similarities_done = false;
  std::vector<double> similarities;   // by embedding rule, as rules compare them
  std::vector<char> similar_matches;  // by embedding rule, soft matching and top_k applied
  std::vector<float> earlier;         // vector of an earlier prompt
  VectorState history_vectors_state = VectorState::kUnknown;
  std::vector<float> history_rows;  // vectors of earlier messages, the newest first
  std::vector<Role> history_roles;  // of each row
  std::vector<KbScores> kb_scores;  // by knowledge base; without labels: not worked out

  // Of the messages, by index.
  std::vector<std::shared_ptr<const MessageResult>> results;
  std::vector<char> looked_up;
  std::vector<char> read;
  std::vector<MessageText> texts;
  bool failed = false;  // a message could not be read

  // Over the prompt and all messages.
  bool history_words_done = false;
  std::vector<float> history_words;  // best score by keyword
  bool history_entities_done = false;
  VectorState history_attack_state = VectorState::kUnknown;
  double history_attack = 0;

  // Of the message at hand, and memory.
  TextPatterns message_patterns;
  WordList message_words;
  std::vector<double> message_phrases;
  std::vector<float> message_keywords;
  text::Stemmer stemmer;
  std::array<uint64_t, config::kSignalTypes> nanoseconds{};  // by type of signal
};

// What rules with include_history compare by meaning: so many of the newest messages, and so much
// of each.
inline constexpr size_t kMeaningMessagesMax = 16;
inline constexpr size_t kMeaningBytesMax = 2048;

// Why a rule could not be evaluated.
inline constexpr std::string_view kNoEncoder = "no encoder";
inline constexpr std::string_view kEncoderBusy = "the encoder did not answer in time";
inline constexpr std::string_view kByNgrams = "judged by n-grams alone: ";  // and why
inline constexpr std::string_view kNoWeights = "no classifier weights";
inline constexpr std::string_view kUnread = "a message could not be read";

class Evaluation {
 public:
  Evaluation(const Engine::Compiled& compiled, const Input& input, Scratch::State& state,
             Values& values)
      : c_(compiled), input_(input), s_(state), values_(values) {}

  void evaluate(config::SignalId id);
  // The heads of the prompt and the attack in all messages; false with a problem in the state.
  bool read_all_heads();

 private:
  void keyword(config::SignalId id, const config::KeywordRule& rule, const KeywordPlan& plan);
  void structure(config::SignalId id, const config::StructureRule& rule, const StructurePlan& plan);
  void conversation(config::SignalId id, const config::ConversationRule& rule);
  void language(config::SignalId id, const config::LanguageRule& rule);
  void pii(config::SignalId id, const config::PiiRule& rule,
           const std::array<bool, kEntityTypes>& allowed);
  void domain(config::SignalId id, const config::DomainRule& rule,
              const std::vector<size_t>& labels);
  void complexity(config::SignalId id, const config::ComplexityRule& rule,
                  config::ComplexityLevel level);
  void jailbreak(config::SignalId id, const config::JailbreakRule& rule);

  void embedding(config::SignalId id, const config::EmbeddingRule& rule);
  void contrastive_complexity(config::SignalId id, const config::ComplexityRule& rule,
                              config::ComplexityLevel level);
  void set_complexity(config::SignalId id, const config::ComplexityRule& rule,
                      config::ComplexityLevel level, double margin);
  void reask(config::SignalId id, const config::OtherRule& rule);
  // User feedback by its trained head.
  void told_feedback(config::SignalId id, const config::OtherRule& rule);
  // Types with examples: the rule matches if its own are the nearest and near enough.
  void by_examples(config::SignalId id, const config::OtherRule& rule);

  // requester.cc: what the request says beside its messages.
  std::string_view attribute(bool header, std::string_view name) const;
  void metadata(config::SignalId id, const config::MetadataRule& rule);
  void event(config::SignalId id, const config::EventRule& rule);
  void role(config::SignalId id, const config::RoleRule& rule);
  // knowledge.cc: knowledge bases and classifiers that go by a name.
  void kb_rule(config::SignalId id, const config::KbRule& rule);
  void kb_metric(config::SignalId id, size_t kb, const config::KbMetric& metric);
  const KbScores* kb_scores(config::SignalId id, size_t kb, const config::RuleBase& rule);
  void classifier(config::SignalId id, const config::ClassifierRule& rule);

  // How near the prompt, or with `history` any message, is to the rule's attacks rather than to its
  // harmless texts, 0..1.
  double contrastive_attack(size_t rule, bool history);

  // Whether the vector of the prompt is there, with `history` those of earlier messages too; if
  // not, either an error is set for `id` or what is missing is asked for.
  bool need_vector(config::SignalId id, const config::RuleBase& rule, bool history = false);
  VectorState history_vectors();
  // kUnknown for a message without text.
  VectorState message_vector(size_t m, std::vector<float>& out);
  bool prompt_vector();
  // kThere with the vector in `out`; kWanted, and the text is asked for; kFailed with the problem.
  VectorState vector_of(std::string_view text, std::vector<float>& out);
  void compare_all();
  double view_score(const KeywordPlan& plan, const KeywordSlot& slot);
  double prompt_score(const KeywordPlan& plan, const KeywordSlot& slot);
  double structure_value(const config::StructureRule& rule, const StructurePlan& plan);
  void prompt_entities();
  void ask_for(std::string_view text, bool TextToEncode::* part);

  // A window that may hold an attack.
  struct Suspect {
    size_t message;
    const AttackReading* reading;
    const AttackWindow* window;
  };
  // Whether the scores of the prompt are there; if not, either an error is set for `id` or windows
  // are asked for.
  bool need_heads(config::SignalId id, const config::RuleBase& rule);
  VectorState prompt_heads();
  VectorState read_prompt_heads();
  VectorState prompt_attack();
  VectorState history_attack();
  VectorState read_history_attack();
  const MessageResult* prompt_fields(size_t m);
  VectorState turns_attack();
  // Whether n-grams are sure enough without the encoder, where it did not answer.
  bool is_clear_of_attack(const config::JailbreakRule& rule) const;
  VectorState suspect_columns(const Suspect& suspect, nn::EncoderColumns& columns);
  // kThere with P(attack) of a text in `attack`.
  VectorState attack_of(std::string_view text, const nn::HeadLogits& lexical, double& attack);
  VectorState window_of(std::string_view text, nn::EncoderColumns& out);
  VectorState windows_of(std::string_view text, std::span<const nn::Window> windows,
                         std::vector<nn::EncoderColumns>& out);
  void history_words();
  void history_entities();

  // The result of a message with at least `part`; null if the message could not be read.
  const MessageResult* message(size_t m, MessageResult::Part part);
  // What is known of a message so far; null if nothing is, or for -1.
  const MessageResult* find_message(int64_t m);
  MessageCache::Key key_of(size_t m) const;
  void remember(size_t m, std::shared_ptr<const MessageResult> result);
  const MessageText* text_of(size_t m);
  void find_words(size_t m, const MessageText& text, MessageResult& out);
  // `safety_only`: of another reading of the text, which counts for rules with `on_error: match`.
  void add_words(TextPatterns& patterns, std::string_view text, bool safety_only = false);
  void add_words_of_views(std::span<const text::View> views);
  const std::vector<text::View>& prompt_views();
  void find_attack(const MessageText& text, MessageResult& out);
  void read_attack(std::string_view text, bool of_fields, MessageResult& out);
  void find_entities(size_t m, const MessageText& text, MessageResult& out);
  bool is_prompt(size_t m) const { return static_cast<int64_t>(m) == input_.prompt_message; }

  void set(config::SignalId id, bool matched, double confidence, double raw) {
    values_.signals[id] = {true, matched, matched ? confidence : 0, raw};
  }
  void error(config::SignalId id, const config::RuleBase& rule, std::string_view message) {
    values_.errors.push_back({id, std::string(message)});
    set(id, rule.on_error_match, 1, 0);
  }

  // A rule that has an answer, though a poorer one.
  void note_ngrams(config::SignalId id) {
    values_.errors.push_back({id, std::string(kByNgrams) + s_.heads_problem});
  }

  const Engine::Compiled& c_;
  const Input& input_;
  Scratch::State& s_;
  Values& values_;
};

}  // namespace vsr::signals
