#include "eval/agent_mix.h"

#include <fmt/format.h>

#include <algorithm>

#include "eval/split_mix.h"

// A fused multiply-add would move demands across tier margins on some machines and not on others.
#pragma clang fp contract(off)

namespace vsr::eval {

namespace {

constexpr Profile kProfiles[] = {
    {"coding", 8000, 12000, .70, .15, .05, .65, .75, 3, 350, .01, .02, .02, .15},
    {"assistant", 800, 2200, .60, .20, .10, .45, .30, 1, 250, 0, .05, .05, .20},
    {"research", 3000, 6000, .60, .30, .05, .50, .85, 4, 700, .02, .03, .02, .10},
};

constexpr double kNoise = 0.12;  // of a proposal's view of the difficulty

enum class Kind { kTask, kContent, kContentless };

double need_of(double difficulty) { return -0.45 + 1.25 * difficulty; }
double unit_clamp(double value) { return std::clamp(value, 0.0, 1.0); }

class Drawing {
 public:
  Drawing(const Profile& profile, const MixOptions& options, const Economy& economy, uint64_t state)
      : profile_(profile), options_(options), economy_(economy), r_(state) {}

  Plan plan() {
    Plan out;
    out.system = profile_.system_low + r_.between(0, profile_.system_span);
    const int tasks = 1 + r_.geometric(profile_.new_task, 9);
    size_t level = 0;
    for (int task = 0; task < tasks; ++task) {
      const double keep = r_.unit();
      const double pick = r_.unit();
      const double within = r_.unit();
      if (task == 0 || keep >= 0.35) level = pick < 0.45 ? 0 : pick < 0.80 ? 1 : 2;
      constexpr double kLow[] = {0, 0.30, 0.65};
      constexpr double kHigh[] = {0.25, 0.65, 1};
      const double difficulty = kLow[level] + (kHigh[level] - kLow[level]) * within;
      const int rounds = 1 + r_.geometric(0.5, 7);
      for (int k = 0; k < rounds; ++k) out.rounds.push_back(round(task, k == 0, difficulty));
    }
    return out;
  }

 private:
  PlannedRound round(int task, bool opens_task, double difficulty) {
    const double which_gap = r_.unit();
    const int long_gap = r_.between(0, 36'000);
    const int idle_gap = r_.between(0, 3'000);
    const int short_gap = r_.between(0, 115);
    const int gap = which_gap < profile_.long_idle                   ? 3600 + long_gap
                    : which_gap < profile_.long_idle + profile_.idle ? 300 + idle_gap
                                                                     : 5 + short_gap;
    const double up = r_.unit();
    const double uv = r_.unit();
    const double uk = r_.unit();
    PlannedRound out;
    out.task = task;
    out.opens_task = opens_task;
    out.need = need_of(difficulty);
    out.private_text = !opens_task && up < profile_.private_text;
    out.provider_state = !opens_task && !out.private_text && uv < profile_.provider_state;
    const Kind kind = opens_task                  ? Kind::kTask
                      : uk < profile_.contentless ? Kind::kContentless
                                                  : Kind::kContent;
    for (size_t a = 0; a < kAttemptsMax; ++a) {
      const int attempt_gap = a == 0 ? gap : 20 + r_.between(0, 200);
      out.attempts[a] =
          attempt(a == 0 ? kind : Kind::kContentless, a > 0, difficulty, out.private_text);
      out.attempts[a].gap = attempt_gap;
    }
    return out;
  }

  int user_tokens(Kind kind) {
    const int task = r_.tail(12, 0.55, 6);
    const int content = r_.tail(10, 0.5, 3);
    const int shortest = r_.between(1, 8);
    const int terse_task = r_.between(3, 15);
    const int wordy = r_.tail(8, 0.5, 3);
    const double u = r_.unit();
    switch (kind) {
      case Kind::kTask:
        return u < 0.15 ? terse_task : task;
      case Kind::kContent:
        return content;
      case Kind::kContentless:
        break;
    }
    return u < 0.2 ? wordy : shortest;
  }

  // What the route takes the difficulty of a message to be.
  double seen_difficulty(Kind kind, double difficulty) {
    const double confused = r_.unit();
    const double other = r_.unit();
    const double z = r_.normal();
    if (options_.flap) return turns_++ % 2 == 0 ? 0 : 1;
    if (kind == Kind::kContentless) return confused < options_.confusion ? other : 0.25 * other;
    if (confused < options_.confusion) return other;
    return kind == Kind::kTask ? unit_clamp(difficulty + kNoise * z)
                               : unit_clamp(0.7 * difficulty + 0.075 + 1.5 * kNoise * z);
  }

  Attempt attempt(Kind kind, bool again, double difficulty, bool private_text) {
    Attempt out;
    out.user_tokens = user_tokens(kind);
    // The draw of the complaint stands between those of the difficulty and of the tools.
    const double seen = seen_difficulty(kind, difficulty);
    out.complains = r_.unit() < 0.7 && again;
    out.proposed = economy_.needed_tier(need_of(seen));
    const double tools = r_.unit();
    const int loop = r_.tail(profile_.loop, 0.45, 4);
    int calls = tools < profile_.uses_tools ? std::min(40, std::max(1, loop)) : 0;
    if (private_text) calls = 0;
    const double ua = r_.unit();
    const int length = r_.between(400, 1600);
    const int completion = r_.between(20, 50);
    if (ua < profile_.auxiliary && !private_text) {
      out.auxiliary_length = length;
      out.auxiliary_completion = completion;
    }
    for (int j = 0; j <= calls; ++j) {
      out.calls.push_back(call(j == 0, j == calls, out.proposed, difficulty));
    }
    out.success_draw = r_.unit();
    out.notice_draw = r_.unit();
    return out;
  }

  PlannedCall call(bool first, bool last, Tier proposed, double difficulty) {
    const int tool_tokens = r_.tail(profile_.tool_tokens, 0.5, 7);
    const double which_gap = r_.unit();
    const int slow = r_.between(310, 1210);
    const int quick = r_.between(1, 14);
    const int call_completion = r_.between(40, 300);
    const int final_completion = r_.between(150, 800);
    const double us = r_.unit();
    const double uo = r_.unit();
    const double z = r_.normal();
    PlannedCall out;
    out.tool_tokens = last ? 0 : tool_tokens;
    out.gap = last ? 0 : which_gap < 0.02 ? slow : quick;
    out.completion = last ? final_completion : call_completion;
    out.proposed = first || uo < 0.6
                       ? proposed
                       : economy_.needed_tier(need_of(unit_clamp(difficulty - 0.15 + 0.2 * z)));
    if (!last && us < profile_.sub_agent) {
      const int agents = 1 + (r_.unit() < 0.3 ? 1 : 0);
      for (int i = 0; i < agents; ++i) out.sub_agents.push_back(sub_agent(difficulty));
    }
    return out;
  }

  SubAgent sub_agent(double difficulty) {
    SubAgent out;
    out.system = 2000 + r_.between(0, 4000);
    const double own = difficulty > 0.25 ? difficulty - 0.25 : 0;
    const double confused = r_.unit();
    const double other = r_.unit();
    const double z = r_.normal();
    out.need = need_of(own);
    out.proposed = economy_.needed_tier(
        need_of(confused < options_.confusion ? other : unit_clamp(own + kNoise * z)));
    const int calls = 3 + r_.between(0, 9);
    for (int i = 0; i < calls; ++i) {
      SubAgent::Call& made = out.calls.emplace_back();
      made.tool_tokens = r_.tail(profile_.tool_tokens, 0.5, 7);
      made.completion = r_.between(40, 300);
    }
    return out;
  }

  const Profile& profile_;
  const MixOptions& options_;
  const Economy& economy_;
  SplitMix r_;
  int turns_ = 0;  // attempts drawn, for the alternation
};

}  // namespace

Result<Profile> profile(std::string_view name) {
  for (const Profile& known : kProfiles) {
    if (known.name == name) return known;
  }
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("there is no profile {}; use coding, assistant or research", name));
}

Plan draw_plan(const Profile& profile, const MixOptions& options, const Economy& economy,
               uint64_t seed, uint64_t index) {
  const uint64_t state = SplitMix(seed * 1'000'003 + index).next();
  return Drawing(profile, options, economy, state).plan();
}

void Walk::attempt(const PlannedRound& planned, const Attempt& attempt, int32_t round,
                   std::vector<Request>& out) {
  constexpr int kAnswerSeconds = 6;
  constexpr int32_t kSummaryTokens = 5'000;
  t_ += attempt.gap;
  length_ += attempt.user_tokens;
  int gap = attempt.gap;
  for (size_t j = 0; j < attempt.calls.size(); ++j) {
    const PlannedCall& call = attempt.calls[j];
    if (length_ > kContextMax) {
      ++prefix_;
      length_ = plan_->system + kSummaryTokens;
    }
    Request request;
    request.t = t_;
    request.length = length_;
    request.prefix = prefix_;
    request.shared = plan_->system;
    request.user_tokens = attempt.user_tokens;
    request.proposed = planned.private_text ? 0 : call.proposed;
    request.tool = j > 0;
    request.provider_state = planned.provider_state && j == 0;
    request.private_text = planned.private_text;
    request.failure_feedback = attempt.complains && j == 0;
    request.completion = call.completion;
    request.need = planned.need;
    request.task = planned.task;
    request.round = round;
    request.gap = gap;
    out.push_back(request);
    length_ += call.completion;
    t_ += kAnswerSeconds;
    if (j == 0 && attempt.auxiliary_length > 0) {
      Request title;
      title.lineage = lineages_++;
      title.t = t_ - 3;
      title.length = title.user_tokens = attempt.auxiliary_length;
      title.auxiliary = true;
      title.completion = attempt.auxiliary_completion;
      title.weight = 0;
      title.task = planned.task;
      out.push_back(title);
    }
    run_sub_agents(call.sub_agents, planned.task, out);
    length_ += call.tool_tokens;
    t_ += call.gap;
    gap = call.gap;
  }
}

void Walk::run_sub_agents(const std::vector<SubAgent>& agents, int32_t task,
                          std::vector<Request>& out) {
  constexpr int kStepSeconds = 4;
  std::vector<int32_t> lengths;
  size_t steps = 0;
  for (const SubAgent& agent : agents) {
    lengths.push_back(agent.system);
    steps = std::max(steps, agent.calls.size());
  }
  for (size_t w = 0; w < steps; ++w) {
    for (size_t i = 0; i < agents.size(); ++i) {
      if (w >= agents[i].calls.size()) continue;
      const SubAgent::Call& call = agents[i].calls[w];
      Request request;
      request.lineage = lineages_ + static_cast<int32_t>(i);
      request.t = t_;
      request.length = lengths[i];
      request.user_tokens = 200;
      request.proposed = agents[i].proposed;
      request.tool = w > 0;
      request.completion = call.completion;
      request.need = agents[i].need;
      request.weight = 0.25;
      request.task = task;
      request.gap = w > 0 ? kStepSeconds : 0;
      out.push_back(request);
      lengths[i] += call.completion + call.tool_tokens;
      t_ += kStepSeconds;
    }
  }
  lineages_ += static_cast<int32_t>(agents.size());
}

Session flatten(const Plan& plan) {
  Session out;
  Walk walk(plan);
  int32_t round = 0;
  for (const PlannedRound& planned : plan.rounds) {
    walk.attempt(planned, planned.attempts[0], round++, out.requests);
  }
  out.lineages = walk.lineages();
  return out;
}

uint64_t fingerprint(const std::vector<Session>& sessions) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (const Session& session : sessions) {
    for (const Request& r : session.requests) {
      const std::string line =
          fmt::format("{},{},{},{},{},{},{:d},{:d},{:d},{:d},{},{}\n", r.lineage, r.t, r.length,
                      r.prefix, r.user_tokens, r.proposed, r.tool, r.provider_state, r.private_text,
                      r.auxiliary, r.completion, r.round);
      for (const char c : line) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
    }
  }
  return hash;
}

}  // namespace vsr::eval
