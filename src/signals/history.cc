// What rules share: the results of messages, from the cache or worked out once, and their union.

#include <algorithm>

#include "signals/detect.h"
#include "signals/evaluation.h"
#include "text/unmask.h"

namespace vsr::signals {

static bool is_of_the_place(EntityType type) {
  return type == EntityType::kEmail || type == EntityType::kPerson || type == EntityType::kIp;
}

const MessageText* Evaluation::text_of(size_t m) {
  if (s_.read[m] == 0) {
    if (input_.texts == nullptr) return nullptr;
    Result<MessageText> text = input_.texts->read(m);
    if (!text) return nullptr;
    s_.texts[m] = *text;
    s_.read[m] = 1;
    ++values_.messages_read;
  }
  return &s_.texts[m];
}

MessageCache::Key Evaluation::key_of(size_t m) const {
  const Message& message = input_.messages[m];
  return {message.content_hash, c_.version ^ (static_cast<uint64_t>(message.role) << 56)};
}

const MessageResult* Evaluation::find_message(int64_t message) {
  if (message < 0) return nullptr;
  const auto m = static_cast<size_t>(message);
  if (s_.looked_up[m] == 0) {
    s_.looked_up[m] = 1;
    if (c_.parts.cache) s_.results[m] = c_.parts.cache->find(key_of(m));
    if (s_.results[m]) ++values_.messages_cached;
  }
  return s_.results[m].get();
}

void Evaluation::remember(size_t m, std::shared_ptr<const MessageResult> result) {
  s_.looked_up[m] = 1;
  s_.results[m] = std::move(result);
  if (c_.parts.cache) c_.parts.cache->put(key_of(m), s_.results[m]);
}

const MessageResult* Evaluation::message(size_t m, MessageResult::Part part) {
  const MessageResult* const known = find_message(static_cast<int64_t>(m));
  if (known != nullptr && (known->parts & part) != 0) return known;
  auto fresh = known != nullptr ? std::make_shared<MessageResult>(*known)
                                : std::make_shared<MessageResult>();
  // The operator's and the model's own words attack nobody.
  const Role role = input_.messages[m].role;
  const bool can_attack = is_message(role) && !is_operator(role) && role != Role::kAssistant;
  if (part != MessageResult::kAttack || can_attack) {
    const MessageText* const text = text_of(m);
    if (text == nullptr) return nullptr;
    if (part == MessageResult::kWords && !is_operator(role)) find_words(m, *text, *fresh);
    if (part == MessageResult::kEntities) find_entities(m, *text, *fresh);
    if (part == MessageResult::kAttack) find_attack(*text, *fresh);
  }
  fresh->parts |= part;
  remember(m, std::move(fresh));
  return s_.results[m].get();
}

// Best scores of the keywords of history rules in one text, over those in message_keywords.
void Evaluation::add_words(TextPatterns& patterns, std::string_view text, bool safety_only) {
  if (text.empty()) return;
  if (c_.history_similar) split_words(patterns.normalized(), s_.message_words);
  if (c_.history_phrases) c_.phrases.score(patterns.normalized(), s_.stemmer, s_.message_phrases);
  for (const uint16_t r : c_.history_rules) {
    const KeywordPlan& plan = c_.keyword_rules[r];
    if (safety_only && !c_.config->rules.keywords[r].on_error_match) continue;
    for (uint32_t k = plan.first; k < plan.first + plan.count; ++k) {
      const KeywordSlot& slot = c_.keywords[k];
      float& best = s_.message_keywords[k];
      if (best >= 1 && plan.kind != KeywordKind::kBm25) continue;
      double score = 0;
      switch (plan.kind) {
        case KeywordKind::kPattern:
          score = patterns.matches(static_cast<PatternId>(slot.index)) ? 1 : 0;
          break;
        case KeywordKind::kBm25:
          score = s_.message_phrases[slot.index];
          break;
        case KeywordKind::kSimilar:
          score = c_.similar[slot.index].best(s_.message_words);
          break;
      }
      best = std::max(best, static_cast<float>(score));
    }
  }
}

const std::vector<text::View>& Evaluation::prompt_views() {
  if (!s_.views_done) {
    s_.views_done = true;
    s_.views = text::unmask(input_.prompt);
    s_.view_patterns.clear();
  }
  return s_.views;
}

void Evaluation::add_words_of_views(std::span<const text::View> views) {
  for (const text::View& view : views) {
    s_.message_patterns.reset(c_.patterns, view.text);
    add_words(s_.message_patterns, view.text, true);
  }
}

void Evaluation::find_words(size_t m, const MessageText& text, MessageResult& out) {
  s_.message_keywords.assign(c_.keywords.size(), 0);
  if (is_prompt(m)) {
    add_words(s_.patterns, input_.prompt);
  } else {
    s_.message_patterns.reset(c_.patterns, text.text);
    add_words(s_.message_patterns, text.text);
  }
  for (const std::string_view argument : text.arguments) {
    s_.message_patterns.reset(c_.patterns, argument);
    add_words(s_.message_patterns, argument);
  }
  if (c_.history_safety && is_prompt(m)) {
    add_words_of_views(prompt_views());
  } else if (c_.history_safety) {
    add_words_of_views(text::unmask(text.text));
  }
  out.keywords.clear();
  for (uint32_t k = 0; k < s_.message_keywords.size(); ++k) {
    if (s_.message_keywords[k] > 0) out.keywords.push_back({k, s_.message_keywords[k]});
  }
}

void Evaluation::find_entities(size_t m, const MessageText& text, MessageResult& out) {
  const bool personal = !is_operator(input_.messages[m].role);
  out.entities.clear();
  uint32_t part = 0;
  const auto add = [&](std::string_view one, bool with_personal) {
    for (const Entity& entity : detect_pii(one, {.personal = with_personal, .secrets = true})) {
      out.entities.push_back({entity, part});
    }
    ++part;
  };
  if (is_prompt(m) && s_.entities_done) {
    for (const Entity& entity : s_.entities) out.entities.push_back({entity, part});
    ++part;
  } else {
    add(text.text, personal);
  }
  for (const std::string_view argument : text.arguments) add(argument, personal);
  for (const std::string_view extra : text.extra) {
    add(extra, personal);
    // Harnesses tell the model who its user is and where it runs.
    std::erase_if(out.entities, [part](const PartEntity& found) {
      return found.part + 1 == part && is_of_the_place(found.entity.type);
    });
  }
  if (!text.fields.empty()) add(text.fields, personal);
}

void Evaluation::prompt_entities() {
  if (s_.entities_done) return;
  s_.entities_done = true;
  s_.entities = detect_pii(input_.prompt);
  if (s_.history_entities_done) return;  // they are in values already
  for (const Entity& entity : s_.entities) {
    values_.entities.push_back({entity, input_.prompt_message, 0});
  }
}

void Evaluation::history_words() {
  if (s_.history_words_done) return;
  s_.history_words_done = true;
  s_.history_words.assign(c_.keywords.size(), 0);
  const auto merge = [&](uint32_t keyword, float score) {
    s_.history_words[keyword] = std::max(s_.history_words[keyword], score);
  };
  if (input_.prompt_message < 0) {
    s_.message_keywords.assign(c_.keywords.size(), 0);
    add_words(s_.patterns, input_.prompt);
    if (c_.history_safety) add_words_of_views(prompt_views());
    for (uint32_t k = 0; k < s_.message_keywords.size(); ++k) merge(k, s_.message_keywords[k]);
  }
  for (size_t m = 0; m < input_.messages.size(); ++m) {
    const Role role = input_.messages[m].role;
    if (is_operator(role) || !is_message(role)) continue;
    const MessageResult* result = message(m, MessageResult::kWords);
    s_.failed |= result == nullptr;
    if (result == nullptr) continue;
    for (const KeywordScore& found : result->keywords) merge(found.keyword, found.score);
  }
}

void Evaluation::history_entities() {
  if (s_.history_entities_done) return;
  if (input_.prompt_message < 0) prompt_entities();
  const bool prompt_added = s_.entities_done;
  s_.history_entities_done = true;
  for (size_t m = 0; m < input_.messages.size(); ++m) {
    const MessageResult* result = message(m, MessageResult::kEntities);
    s_.failed |= result == nullptr;
    if (result == nullptr) continue;
    for (const PartEntity& found : result->entities) {
      if (found.part == 0 && is_prompt(m) && prompt_added) continue;
      values_.entities.push_back({found.entity, static_cast<int32_t>(m), found.part});
    }
  }
}

}  // namespace vsr::signals
