#include "counterfactual/texts.h"

#include "counterfactual/causes.h"
#include "json/value.h"

namespace vsr::counterfactual {

const signals::Input& Texts::shape(const router::RequestFacts& facts) {
  input_ = {};
  messages_.clear();
  for (size_t role = 0; role < signals::kRoles; ++role) {
    messages_.insert(messages_.end(), facts.shape.messages_by_role[role],
                     {static_cast<signals::Role>(role), 0});
  }
  input_.messages = messages_;
  input_.conversation = facts.shape;
  input_.context_tokens = facts.needs.context_tokens;
  return input_;
}

const signals::Input& Texts::text(const Id128& id, const router::RequestFacts& facts,
                                  signals::Reads reads, signals::Reads& reach,
                                  std::string_view& problem) {
  reach = signals::Reads::kShape;
  problem = kTextMissing;
  (void)shape(facts);
  const Result<std::optional<store::Row>> row = replay_.find(id);
  if (!row || !*row || !(*row)->routing) return input_;
  const Result<json::Value> routing = json::Value::parse(*(*row)->routing);
  if (!routing) return input_;
  if ((*routing)["redacted"].as_bool(true)) {
    problem = kTextRedacted;
    return input_;
  }
  api_key_name_ = (*row)->summary->api_key_name;
  if (reads == signals::Reads::kPrompt && (*row)->prompt) {
    if ((*routing)["prompt_truncated"].as_bool(true)) {
      problem = kTextCut;
      return input_;
    }
    prompt_ = *(*row)->prompt;
    input_.prompt = prompt_;
    reach = signals::Reads::kPrompt;
    return input_;
  }
  if (!(*row)->request_body) return input_;
  problem = kTextCut;
  if ((*routing)["request_body_truncated"].as_bool(true)) return input_;
  body_ = *(*row)->request_body;
  if (!request_.read_chat(body_, facts_)) return input_;
  input_ = request_.input();
  input_.api_key_name = api_key_name_;
  reach = signals::Reads::kMessages;
  return input_;
}

}  // namespace vsr::counterfactual
