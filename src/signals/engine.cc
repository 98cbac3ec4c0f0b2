#include "signals/engine.h"

#include <fmt/format.h>
#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <mutex>
#include <set>
#include <unordered_map>

#include "base/strings.h"
#include "nn/head_bank.h"
#include "signals/detect.h"
#include "signals/message_cache.h"
#include "text/hash.h"
#include "text/language.h"
#include "text/normalize.h"
#include "text/terms.h"
#include "text/words.h"

namespace vsr::signals {

using config::SignalId;
using config::SignalType;

// ---- values and cache ---------------------------------------------------------------------------

void Values::clear(size_t signal_count) {
  signals.assign(signal_count, {});
  evidence.clear();
  errors.clear();
  entities.clear();
  language = {};
  language_confidence = 0;
  context_tokens = 0;
  microseconds.fill(0);
  messages_cached = messages_read = 0;
}

size_t MessageResult::bytes() const {
  constexpr size_t kNodeBytes = 160;
  return kNodeBytes + patterns.capacity() * sizeof(PatternScore) +
         entities.capacity() * sizeof(PartEntity);
}

struct MessageCache::Stripe {
  struct Entry {
    Key key;
    std::shared_ptr<const MessageResult> result;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const { return key.content_hash ^ (key.version * 31); }
  };
  mutable std::mutex mutex;
  std::list<Entry> newest_first;
  std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> by_key;
  Stats stats;
};

MessageCache::MessageCache(size_t bytes_max)
    : stripe_bytes_max_(bytes_max / kStripes), stripes_(std::make_unique<Stripe[]>(kStripes)) {}
MessageCache::~MessageCache() = default;

MessageCache::Stripe& MessageCache::stripe_of(const Key& key) {
  return stripes_[(key.content_hash >> 40) % kStripes];
}

std::shared_ptr<const MessageResult> MessageCache::find(const Key& key) {
  Stripe& stripe = stripe_of(key);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.by_key.find(key);
  if (found == stripe.by_key.end()) {
    ++stripe.stats.misses;
    return nullptr;
  }
  ++stripe.stats.hits;
  stripe.newest_first.splice(stripe.newest_first.begin(), stripe.newest_first, found->second);
  return found->second->result;
}

void MessageCache::put(const Key& key, std::shared_ptr<const MessageResult> result) {
  Stripe& stripe = stripe_of(key);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.by_key.find(key);
  if (found != stripe.by_key.end()) {
    stripe.stats.bytes -= found->second->result->bytes();
    stripe.newest_first.erase(found->second);
    stripe.by_key.erase(found);
  }
  stripe.stats.bytes += result->bytes();
  stripe.newest_first.push_front({key, std::move(result)});
  stripe.by_key[key] = stripe.newest_first.begin();
  while (stripe.stats.bytes > stripe_bytes_max_ && stripe.newest_first.size() > 1) {
    stripe.stats.bytes -= stripe.newest_first.back().result->bytes();
    stripe.by_key.erase(stripe.newest_first.back().key);
    stripe.newest_first.pop_back();
    ++stripe.stats.evictions;
  }
  stripe.stats.entries = stripe.newest_first.size();
}

MessageCache::Stats MessageCache::stats() const {
  Stats total;
  for (size_t i = 0; i < kStripes; ++i) {
    const std::lock_guard lock(stripes_[i].mutex);
    const Stats& one = stripes_[i].stats;
    total.hits += one.hits;
    total.misses += one.misses;
    total.evictions += one.evictions;
    total.entries += one.entries;
    total.bytes += one.bytes;
  }
  return total;
}

// ---- compiling ----------------------------------------------------------------------------------

namespace {

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_ascii_digit(c) || c == '_';
}

// Word boundaries only at an edge that is an ASCII word character: none beside CJK.
std::string literal_pattern(std::string_view keyword) {
  std::string out = RE2::QuoteMeta(keyword);
  if (is_word_byte(keyword.front())) out = "\\b" + out;
  if (is_word_byte(keyword.back())) out += "\\b";
  return out;
}

RE2::Options pattern_options(bool case_sensitive) {
  RE2::Options options;
  options.set_case_sensitive(case_sensitive);
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemoryMax);
  return options;
}

std::string pattern_of(const config::KeywordRule& rule, const std::string& keyword) {
  const std::string core =
      rule.method == config::KeywordMethod::kRegex ? keyword : literal_pattern(keyword);
  return (rule.case_sensitive ? "(?-i:" : "(?i:") + core + ")";
}

bool uses_patterns(const config::KeywordRule& rule) {
  return (rule.method == config::KeywordMethod::kLiteral && !rule.fuzzy_match) ||
         rule.method == config::KeywordMethod::kRegex;
}

}  // namespace

std::vector<RuleProblem> check_rules(const config::SignalRules& rules) {
  std::vector<RuleProblem> problems;
  for (const config::KeywordRule& rule : rules.keywords) {
    if (rule.keywords.empty()) problems.push_back({rule.position, rule.name + ": has no keyword"});
    if (!uses_patterns(rule)) continue;
    for (const std::string& keyword : rule.keywords) {
      const RE2 pattern(pattern_of(rule, keyword), pattern_options(true));
      if (!pattern.ok()) {
        problems.push_back({rule.position, fmt::format("{}: {} is no regular expression: {}",
                                                       rule.name, keyword, pattern.error())});
      }
    }
  }
  for (const config::StructureRule& rule : rules.structure) {
    if (rule.source != config::StructureSource::kRegex) continue;
    const RE2 pattern(rule.pattern, pattern_options(rule.case_sensitive));
    if (!pattern.ok()) {
      problems.push_back({rule.position, fmt::format("{}: {} is no regular expression: {}",
                                                     rule.name, rule.pattern, pattern.error())});
    }
  }
  return problems;
}

namespace {

struct KeywordPlan {
  std::vector<int> patterns;                        // indexes into the set
  std::vector<std::vector<std::string>> documents;  // BM25: terms of each phrase
};

}  // namespace

struct Engine::Compiled {
  std::shared_ptr<const config::Config> config;
  Parts parts;
  std::unique_ptr<RE2::Set> set;
  std::vector<std::string> pattern_keyword;
  std::vector<KeywordPlan> keywords;
  std::vector<std::unique_ptr<RE2>> structures;
  std::vector<std::vector<size_t>> domain_labels;
  std::vector<char> pii_allowed;  // by rule × type
  uint64_t version = 0;
  bool history_patterns = false;
};

struct Scratch::State {
  std::vector<char> prompt_patterns;
  bool prompt_patterns_done = false;
  std::vector<char> history_patterns;
  bool history_done = false;
  bool history_attack_done = false;
  double history_attack = 0;
  bool entities_done = false;
  bool heads_done = false;
  nn::HeadScores scores;
  bool language_done = false;
  std::vector<MessageText> texts;
  std::vector<char> text_read;
  std::vector<int> matches;
};

Scratch::Scratch() : state_(std::make_unique<State>()) {}
Scratch::~Scratch() = default;
Scratch::Scratch(Scratch&&) noexcept = default;
Scratch& Scratch::operator=(Scratch&&) noexcept = default;

Engine::Engine(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
Engine::~Engine() = default;
uint64_t Engine::rules_version() const { return compiled_->version; }

Result<std::shared_ptr<const Engine>> Engine::compile(std::shared_ptr<const config::Config> config,
                                                      Parts parts) {
  if (const auto problems = check_rules(config->rules); !problems.empty()) {
    const RuleProblem& first = problems.front();
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}:{}:{}: error: routing.signals: {}", config->file,
                            first.position.line, first.position.column, first.message));
  }
  auto compiled = std::make_unique<Compiled>();
  compiled->config = config;
  compiled->parts = std::move(parts);
  compiled->set = std::make_unique<RE2::Set>(pattern_options(true), RE2::UNANCHORED);
  uint64_t version = 0;
  for (const config::KeywordRule& rule : config->rules.keywords) {
    KeywordPlan plan;
    if (uses_patterns(rule)) {
      for (const std::string& keyword : rule.keywords) {
        const std::string pattern = pattern_of(rule, keyword);
        plan.patterns.push_back(compiled->set->Add(pattern, nullptr));
        compiled->pattern_keyword.push_back(keyword);
        version = text::hash64(pattern, version);
      }
      compiled->history_patterns |= rule.include_history;
    } else if (rule.method == config::KeywordMethod::kBm25) {
      for (const std::string& keyword : rule.keywords)
        plan.documents.push_back(text::terms(keyword));
    }
    compiled->keywords.push_back(std::move(plan));
  }
  if (!compiled->pattern_keyword.empty()) {
    if (!compiled->set->Compile()) {
      return fail(ErrorCode::kTooLarge,
                  "the keyword and regex rules together need too much memory");
    }
    std::vector<int> warm;
    RE2::Set::ErrorInfo info;
    compiled->set->Match("warm up", &warm, &info);
  }
  for (const config::StructureRule& rule : config->rules.structure) {
    compiled->structures.push_back(
        rule.source == config::StructureSource::kRegex
            ? std::make_unique<RE2>(rule.pattern, pattern_options(rule.case_sensitive))
            : nullptr);
  }
  for (const config::DomainRule& rule : config->rules.domains) {
    std::vector<size_t> labels;
    for (const std::string& label : rule.labels) {
      const auto found = std::find(nn::kDomainLabels.begin(), nn::kDomainLabels.end(), label);
      if (found != nn::kDomainLabels.end()) {
        labels.push_back(static_cast<size_t>(found - nn::kDomainLabels.begin()));
      }
    }
    compiled->domain_labels.push_back(std::move(labels));
  }
  for (const config::PiiRule& rule : config->rules.pii) {
    std::vector<char> allowed(kEntityTypes, 0);
    for (const std::string& name : rule.types_allowed) {
      EntityType type;
      if (parse_entity_type(name, type)) allowed[static_cast<size_t>(type)] = 1;
    }
    compiled->pii_allowed.insert(compiled->pii_allowed.end(), allowed.begin(), allowed.end());
  }
  if (compiled->parts.heads) version = text::hash64(compiled->parts.heads->version(), version);
  compiled->version = version | 1;
  return std::shared_ptr<const Engine>(new Engine(std::move(compiled)));
}

CostClass Engine::cost_class(SignalId signal) const {
  const config::SignalInfo& info = compiled_->config->signals[signal];
  switch (info.type) {
    case SignalType::kKeyword:
      return uses_patterns(compiled_->config->rules.keywords[info.rule]) ? 0 : 1;
    case SignalType::kContext:
    case SignalType::kConversation:
    case SignalType::kStructure:
      return 0;
    case SignalType::kLanguage:
      return 1;
    case SignalType::kPii:
      return 2;
    case SignalType::kDomain:
    case SignalType::kComplexity:
    case SignalType::kJailbreak:
      return 3;
    default:
      return 4;
  }
}

// ---- evaluation ---------------------------------------------------------------------------------

namespace {

double jaccard_trigrams(std::string_view a, std::string_view b, int arity) {
  const auto grams = [arity](std::string_view text) {
    std::set<std::string> out;
    const std::string padded = "$" + std::string(text) + "$";
    const auto n = static_cast<size_t>(arity);
    if (padded.size() <= n) {
      out.insert(padded);
      return out;
    }
    for (size_t i = 0; i + n <= padded.size(); ++i) out.insert(padded.substr(i, n));
    return out;
  };
  const std::set<std::string> x = grams(a);
  const std::set<std::string> y = grams(b);
  size_t common = 0;
  for (const std::string& gram : x) common += y.contains(gram);
  return static_cast<double>(common) / static_cast<double>(x.size() + y.size() - common);
}

std::vector<std::string> words_of(std::string_view text) {
  std::string normal;
  text::normalize(text, normal);
  std::vector<std::string> out;
  text::for_each_word(normal, [&](const text::Word& word) { out.emplace_back(word.text); });
  return out;
}

// Okapi BM25 of a query against phrases; k1 1.2, b .75, idf ln(1+(N−n+.5)/(n+.5)).
double bm25(const std::vector<std::vector<std::string>>& documents,
            const std::vector<std::string>& query) {
  constexpr double kK1 = 1.2;
  constexpr double kB = 0.75;
  double mean = 0;
  for (const auto& document : documents) mean += static_cast<double>(document.size());
  mean = std::max(1.0, mean / static_cast<double>(std::max<size_t>(1, documents.size())));
  const std::set<std::string> terms(query.begin(), query.end());
  double best = 0;
  for (const auto& document : documents) {
    double score = 0;
    for (const std::string& term : terms) {
      const auto count = static_cast<double>(std::count(document.begin(), document.end(), term));
      if (count == 0) continue;
      double with = 0;
      for (const auto& other : documents) {
        with += std::find(other.begin(), other.end(), term) != other.end();
      }
      const double idf =
          std::log(1 + (static_cast<double>(documents.size()) - with + 0.5) / (with + 0.5));
      score += idf * count * (kK1 + 1) /
               (count + kK1 * (1 - kB + kB * static_cast<double>(document.size()) / mean));
    }
    best = std::max(best, score);
  }
  return best;
}

// CJK characters plus runs of other words.
double word_units(std::string_view text) {
  double units = 0;
  text::for_each_word(text, [&](const text::Word& word) {
    units += word.cjk ? static_cast<double>(word.text.size()) / 3 : 1;
  });
  return units;
}

size_t count_keyword(std::string_view text, const std::string& keyword, bool case_sensitive) {
  const RE2 pattern(literal_pattern(keyword), pattern_options(case_sensitive));
  size_t count = 0;
  re2::StringPiece rest(text.data(), text.size());
  while (RE2::FindAndConsume(&rest, pattern)) ++count;
  return count;
}

}  // namespace

namespace {

void set_value(Values& values, SignalId id, bool matched, double confidence, double raw) {
  values.signals[id] = {true, matched, matched ? confidence : 0, raw};
}

}  // namespace

void Engine::start(const Input& input, Scratch& scratch, Values& values) const {
  values.clear(compiled_->config->signals.size());
  values.context_tokens = input.context_tokens;
  Scratch::State& state = *scratch.state_;
  state.prompt_patterns_done = state.history_done = state.history_attack_done = false;
  state.entities_done = state.heads_done = state.language_done = false;
  state.texts.assign(input.messages.size(), {});
  state.text_read.assign(input.messages.size(), 0);
}

void Engine::evaluate_all(const Input& input, Scratch& scratch, Values& values) const {
  start(input, scratch, values);
  std::vector<SignalId> all;
  for (size_t id = 0; id < compiled_->config->signals.size(); ++id) {
    if (compiled_->config->signals[id].type != SignalType::kProjection) {
      all.push_back(static_cast<SignalId>(id));
    }
  }
  evaluate(input, all, scratch, values);
}

void Engine::evaluate(const Input& input, std::span<const SignalId> wanted, Scratch& scratch,
                      Values& values) const {
  const Compiled& c = *compiled_;
  const config::Config& config = *c.config;
  Scratch::State& s = *scratch.state_;

  const auto read = [&](size_t message) -> const MessageText& {
    if (!s.text_read[message] && input.texts != nullptr) {
      s.text_read[message] = 1;
      ++values.messages_read;
      if (auto text = input.texts->read(message)) s.texts[message] = *text;
    }
    return s.texts[message];
  };
  const auto match_set = [&](std::string_view text, std::vector<char>& out) {
    if (c.pattern_keyword.empty() || text.empty()) return;
    s.matches.clear();
    RE2::Set::ErrorInfo info;
    c.set->Match(re2::StringPiece(text.data(), text.size()), &s.matches, &info);
    for (const int pattern : s.matches) out[static_cast<size_t>(pattern)] = 1;
  };
  const auto prompt_patterns = [&] {
    if (s.prompt_patterns_done) return;
    s.prompt_patterns_done = true;
    s.prompt_patterns.assign(c.pattern_keyword.size(), 0);
    match_set(input.prompt, s.prompt_patterns);
  };
  // Results of one message, from the cache or computed; `part` says which are needed.
  const auto message_result = [&](size_t m, uint8_t part) {
    const Message& message = input.messages[m];
    const MessageCache::Key key{message.content_hash,
                                c.version ^ (static_cast<uint64_t>(message.role) << 56)};
    std::shared_ptr<const MessageResult> known = c.parts.cache ? c.parts.cache->find(key) : nullptr;
    if (known && (known->parts & part) == part) {
      ++values.messages_cached;
      return known;
    }
    auto fresh =
        known ? std::make_shared<MessageResult>(*known) : std::make_shared<MessageResult>();
    const MessageText& text = read(m);
    if ((part & MessageResult::kWords) != 0) {
      std::vector<char> hits(c.pattern_keyword.size(), 0);
      match_set(text.text, hits);
      for (const std::string_view argument : text.arguments) match_set(argument, hits);
      for (size_t p = 0; p < hits.size(); ++p) {
        if (hits[p]) fresh->patterns.push_back({static_cast<uint16_t>(p), 1});
      }
    }
    if ((part & MessageResult::kEntities) != 0) {
      const bool personal = !is_operator(message.role);
      uint32_t index = 0;
      const auto scan = [&](std::string_view one, bool with_personal) {
        for (const Entity& entity : detect_pii(one, {with_personal, true})) {
          fresh->entities.push_back({entity, index});
        }
        ++index;
      };
      scan(text.text, personal);
      for (const std::string_view one : text.arguments) scan(one, personal);
      for (const std::string_view one : text.extra) scan(one, false);
    }
    if ((part & MessageResult::kAttack) != 0 && c.parts.heads && !is_operator(message.role) &&
        message.role != Role::kAssistant) {
      nn::HeadScores scores;
      c.parts.heads->score(text.text, scores);
      fresh->attack = scores.jailbreak;
    }
    fresh->parts |= part;
    if (c.parts.cache) c.parts.cache->put(key, fresh);
    return std::shared_ptr<const MessageResult>(fresh);
  };
  const auto history_patterns = [&] {
    if (s.history_done) return;
    s.history_done = true;
    prompt_patterns();
    s.history_patterns = s.prompt_patterns;
    for (size_t m = 0; m < input.messages.size(); ++m) {
      if (is_operator(input.messages[m].role)) continue;
      for (const PatternScore& hit : message_result(m, MessageResult::kWords)->patterns) {
        s.history_patterns[hit.pattern] = 1;
      }
    }
  };
  const auto entities = [&] {
    if (s.entities_done) return;
    s.entities_done = true;
    if (input.prompt_message < 0) {
      for (const Entity& entity : detect_pii(input.prompt))
        values.entities.push_back({entity, -1, 0});
    }
    for (size_t m = 0; m < input.messages.size(); ++m) {
      for (const PartEntity& found : message_result(m, MessageResult::kEntities)->entities) {
        values.entities.push_back({found.entity, static_cast<int32_t>(m), found.part});
      }
    }
  };
  const auto heads = [&] {
    if (s.heads_done || !c.parts.heads) return;
    s.heads_done = true;
    c.parts.heads->score(input.prompt, s.scores);
  };

  for (const SignalId id : wanted) {
    if (values.signals[id].evaluated) continue;
    const config::SignalInfo& info = config.signals[id];
    const MonoTime begun = c.parts.clock != nullptr ? c.parts.clock->mono() : MonoTime(0);
    const auto error = [&](const config::RuleBase& rule, std::string message) {
      values.errors.push_back({id, std::move(message)});
      set_value(values, id, rule.on_error_match, 1, 0);
    };
    switch (info.type) {
      case SignalType::kKeyword: {
        const config::KeywordRule& rule = config.rules.keywords[info.rule];
        const KeywordPlan& plan = c.keywords[info.rule];
        size_t hits = 0;
        double raw = 0;
        if (uses_patterns(rule)) {
          rule.include_history ? history_patterns() : prompt_patterns();
          const std::vector<char>& matched =
              rule.include_history ? s.history_patterns : s.prompt_patterns;
          for (const int pattern : plan.patterns) {
            if (!matched[static_cast<size_t>(pattern)]) continue;
            ++hits;
            values.evidence.push_back({id, c.pattern_keyword[static_cast<size_t>(pattern)]});
          }
          raw = static_cast<double>(hits);
        } else if (rule.method == config::KeywordMethod::kBm25) {
          raw = bm25(plan.documents, text::terms(input.prompt));
          hits = raw >= rule.bm25_threshold ? rule.keywords.size() : 0;
        } else {
          const std::vector<std::string> words = words_of(input.prompt);
          for (const std::string& keyword : rule.keywords) {
            const std::string wanted_word = text::normalized(keyword);
            double best = 0;
            for (const std::string& word : words) {
              const double score =
                  rule.method == config::KeywordMethod::kNgram
                      ? jaccard_trigrams(word, wanted_word, rule.ngram_arity)
                      : static_cast<double>(
                            edit_distance(word, wanted_word) <=
                            std::min<size_t>(static_cast<size_t>(rule.fuzzy_threshold),
                                             wanted_word.size() / 3));
              best = std::max(best, score);
            }
            const double limit =
                rule.method == config::KeywordMethod::kNgram ? rule.ngram_threshold : 1;
            if (best >= limit) {
              ++hits;
              values.evidence.push_back({id, keyword});
            }
            raw = std::max(raw, best);
          }
        }
        const bool matched = rule.op == config::KeywordOperator::kAnd ? hits == rule.keywords.size()
                             : rule.op == config::KeywordOperator::kNor ? hits == 0
                                                                        : hits > 0;
        set_value(values, id, matched, 1, raw);
        break;
      }
      case SignalType::kContext: {
        const config::ContextRule& rule = config.rules.context[info.rule];
        const uint64_t tokens = input.context_tokens;
        set_value(values, id, tokens >= rule.min_tokens && tokens <= rule.max_tokens, 1,
                  static_cast<double>(tokens));
        break;
      }
      case SignalType::kConversation: {
        const config::ConversationRule& rule = config.rules.conversation[info.rule];
        const ConversationFacts& facts = input.conversation;
        double count = 0;
        switch (rule.source) {
          case config::ConversationSource::kMessage:
            for (const Message& message : input.messages) {
              const Role role = message.role;
              if (role == Role::kToolSchemas) continue;
              const std::string_view names[] = {"system", "developer", "user", "assistant",
                                                "tool",   "other",     ""};
              const std::string_view name = names[static_cast<size_t>(role)];
              count += rule.role.empty() || rule.role == name ||
                       (rule.role == "non_user" && role != Role::kUser);
            }
            break;
          case config::ConversationSource::kToolDefinition:
            count = facts.tool_definitions;
            break;
          case config::ConversationSource::kAssistantToolCall:
            count = facts.assistant_tool_calls;
            break;
          case config::ConversationSource::kAssistantToolCycle:
            count = facts.assistant_tool_cycles;
            break;
          case config::ConversationSource::kActiveToolLoop:
            count = facts.active_tool_loop;
            break;
        }
        const bool matched = rule.count ? rule.predicate.holds(count) : count > 0;
        set_value(values, id, matched, 1, count);
        break;
      }
      case SignalType::kStructure: {
        const config::StructureRule& rule = config.rules.structure[info.rule];
        double count = 0;
        if (rule.source == config::StructureSource::kRegex) {
          re2::StringPiece rest(input.prompt.data(), input.prompt.size());
          size_t before = rest.size() + 1;
          while (rest.size() < before && RE2::FindAndConsume(&rest, *c.structures[info.rule])) {
            before = rest.size() + 1;
            ++count;
          }
        } else if (rule.source == config::StructureSource::kKeywordSet) {
          for (const std::string& keyword : rule.keywords) {
            count += static_cast<double>(count_keyword(input.prompt, keyword, rule.case_sensitive));
          }
        } else {
          std::string folded = text::normalized(input.prompt);
          for (const auto& sequence : rule.sequences) {
            size_t at = 0;
            bool all = true;
            for (const std::string& word : sequence) {
              at = folded.find(text::normalized(word), at);
              if (at == std::string::npos) {
                all = false;
                break;
              }
              at += word.size();
            }
            count += all;
          }
        }
        double value = count;
        if (rule.feature == config::StructureFeature::kDensity) {
          value = count / std::max(1.0, word_units(input.prompt));
        }
        const config::Predicate& p = rule.predicate;
        const bool bounded = p.gt || p.gte || p.lt || p.lte;
        set_value(values, id, bounded ? p.holds(value) : count > 0, 1, value);
        break;
      }
      case SignalType::kLanguage: {
        const config::LanguageRule& rule = config.rules.language[info.rule];
        if (!s.language_done) {
          s.language_done = true;
          const text::Language language = text::detect_language(input.prompt);
          values.language = language.code;
          values.language_confidence = language.confidence;
        }
        const double confidence = values.language == rule.code ? values.language_confidence : 0;
        set_value(values, id, confidence > 0 && confidence >= rule.threshold, confidence,
                  confidence);
        break;
      }
      case SignalType::kPii: {
        const config::PiiRule& rule = config.rules.pii[info.rule];
        entities();
        double best = 0;
        for (const FoundEntity& found : values.entities) {
          const size_t type = static_cast<size_t>(found.entity.type);
          if (c.pii_allowed[info.rule * kEntityTypes + type]) continue;
          const bool in_prompt = found.message == input.prompt_message && found.part == 0;
          if (!rule.include_history && !in_prompt) continue;
          best = std::max<double>(best, found.entity.confidence);
          if (found.entity.confidence >= rule.threshold) {
            values.evidence.push_back({id, to_string(found.entity.type)});
          }
        }
        set_value(values, id, best > 0 && best >= rule.threshold, best, best);
        break;
      }
      case SignalType::kDomain: {
        if (!c.parts.heads) {
          error(config.rules.domains[info.rule], "no classifier weights");
          break;
        }
        heads();
        double sum = 0;
        double top = 0;
        double second = 0;
        size_t top_label = 0;
        for (size_t label = 0; label < nn::kDomains; ++label) {
          const double p = s.scores.domain[label];
          if (p > top) {
            second = top;
            top = p;
            top_label = label;
          } else {
            second = std::max(second, p);
          }
        }
        bool is_top = false;
        for (const size_t label : c.domain_labels[info.rule]) {
          sum += s.scores.domain[label];
          is_top |= label == top_label;
        }
        constexpr double kMargin = 0.2;
        const bool matched =
            sum >= config.classifier.domain_threshold || (is_top && top - second >= kMargin);
        set_value(values, id, matched, std::min(sum, 1.0), sum);
        break;
      }
      case SignalType::kComplexity: {
        const config::ComplexityRule& rule = config.rules.complexity[info.rule];
        if (rule.method == config::ComplexityMethod::kContrastive) {
          error(rule, "no encoder");
          break;
        }
        if (!c.parts.heads) {
          error(rule, "no classifier weights");
          break;
        }
        heads();
        const double margin = 2 * static_cast<double>(s.scores.hard()) - 1;
        const double t = rule.threshold;
        const auto level = static_cast<config::ComplexityLevel>(info.part);
        const config::ComplexityLevel actual = margin > t    ? config::ComplexityLevel::kHard
                                               : margin < -t ? config::ComplexityLevel::kEasy
                                                             : config::ComplexityLevel::kMedium;
        const double far = t > 0 ? std::min(1.0, std::abs(margin) / (2 * t)) : 1;
        const double near = t > 0 ? 1 - std::abs(margin) / t : 1;
        set_value(values, id, level == actual,
                  actual == config::ComplexityLevel::kMedium ? near : far, margin);
        break;
      }
      case SignalType::kJailbreak: {
        const config::JailbreakRule& rule = config.rules.jailbreak[info.rule];
        if (rule.method != config::JailbreakMethod::kClassifier) {
          error(rule, "no encoder");
          break;
        }
        if (!c.parts.heads) {
          error(rule, "no classifier weights");
          break;
        }
        heads();
        double attack = s.scores.jailbreak;
        if (rule.include_history) {
          if (!s.history_attack_done) {
            s.history_attack_done = true;
            s.history_attack = 0;
            for (size_t m = 0; m < input.messages.size(); ++m) {
              if (is_operator(input.messages[m].role)) continue;
              s.history_attack =
                  std::max(s.history_attack, message_result(m, MessageResult::kAttack)->attack);
            }
          }
          attack = std::max(attack, s.history_attack);
        }
        set_value(values, id, attack >= rule.threshold, attack, attack);
        break;
      }
      case SignalType::kEmbedding:
        error(config.rules.embeddings[info.rule], "no encoder");
        break;
      case SignalType::kProjection:
        break;
      default:
        error(config.rules.others[info.rule], "not available in this build");
        break;
    }
    if (c.parts.clock != nullptr) {
      values.microseconds[static_cast<size_t>(info.type)] += static_cast<uint32_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(c.parts.clock->mono() - begun)
              .count());
    }
  }
}

}  // namespace vsr::signals
