#include "eval/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "eval/audit_dialogue.h"
#include "http/client.h"
#include "json/writer.h"

namespace vsr::eval {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr std::chrono::seconds kRequestTime{60};
constexpr size_t kTriesMax = 12;
constexpr size_t kFailurePercent = 10;
constexpr size_t kOverlapPercent = 20;  // of sessions
constexpr size_t kExamplesMax = 10;

// What all sessions count together.
struct Tally {
  std::atomic<uint64_t> given_up{0}, requests{0}, streamed{0}, failures{0}, overlapping{0},
      named{0}, bypassed{0}, titles{0}, sub_agents{0}, cut_loops{0};
  std::mutex mutex;
  std::set<std::string> by_choice;  // ids of requests whose model a caller or a bypass chose

  void note_choice(const std::string& request_id) {
    const std::lock_guard lock(mutex);
    by_choice.insert(request_id);
  }
};

constexpr std::string_view kPrompts[] = {"Prove that the parser terminates",
                                         "hello again",
                                         "Refactor the module and prove it",
                                         "What changed here?",
                                         "continue",
                                         "fix it"};

// What came of a request.
struct Came {
  bool whole = false;  // a good answer, to its end
  std::string text;    // also of an answer that was cut
};

class Session {
 public:
  Session(const AuditOptions& options, Tally& tally, size_t number)
      : options_(options),
        tally_(tally),
        identity_(number % kIdentities),
        main_(fmt::format("s{}x{}", options.seed, number), "You are a coding agent.", 6,
              Draws(options.seed * 1'000'003 + number)),
        overlaps_(main_.draws().percent(kOverlapPercent)) {}

  void run() {
    Draws& draws = main_.draws();
    const size_t turns = 2 + draws.below(4);
    for (size_t turn = 0; turn < turns; ++turn) {
      turn_ = turn;
      const bool is_private = turn > 0 && draws.percent(6);
      if (is_private) {
        main_.say_private();
      } else {
        main_.say(fmt::format("{} ({} {})", kPrompts[draws.below(std::size(kPrompts))],
                              main_.name(), turn));
      }
      // A title may be asked for before the first request of the session or behind it.
      if (turn == 0 && draws.percent(25)) side_request("Give this conversation a title", false);
      if (!work(main_, overlaps_, draws.below(5))) {
        ++tally_.given_up;
        return;
      }
      if (draws.percent(15)) side_request("Summarise this conversation", draws.percent(50));
    }
  }

 private:
  static constexpr size_t kIdentities = 6;
  static constexpr size_t kNoIds = 4;
  static constexpr size_t kKeyInBody = 5;

  // One turn of a conversation: rounds of tool calls, then an answer without any.
  bool work(Dialogue& dialogue, bool overlaps, size_t rounds) {
    Draws& draws = dialogue.draws();
    const bool named = !options_.models.empty() && draws.percent(5);
    std::string model = "auto";
    if (named) model = options_.models[draws.below(options_.models.size())];
    for (size_t round = 0;; ++round) {
      const bool is_last = round == rounds;
      const size_t calls = is_last ? 0 : 1 + draws.below(3);
      PlannedAnswer answer = dialogue.plan(calls, draws.percent(40));
      std::vector<std::thread> beside;
      if (overlaps && draws.percent(40)) begin_overlap(dialogue, model, beside);
      const bool done = ask(dialogue, model, answer);
      for (std::thread& thread : beside) thread.join();
      if (!done) return false;
      dialogue.take(answer);
      if (is_last) return true;
      if (answer.call_ids.size() > 1 && draws.percent(20)) send_apart(dialogue, answer);
      dialogue.add_results(answer.call_ids);
      model = "auto";
    }
  }

  // The results of one answer, each in a request of its own, at the same time.
  void send_apart(const Dialogue& dialogue, const PlannedAnswer& answer) {
    std::vector<std::thread> beside;
    for (const std::string& id : answer.call_ids) {
      Dialogue part(fmt::format("{}p{}", dialogue.name(), next_part_++), "", 0, Draws(0));
      Dialogue copy = dialogue;
      copy.add_results({id});
      const PlannedAnswer planned = part.plan(1, true);
      const bool stream = copy.draws().percent(50);
      beside.emplace_back([this, body = body_of(copy, "auto", stream), planned, stream] {
        send(body, planned.script, stream, "auto");
      });
      ++tally_.overlapping;
    }
    for (std::thread& thread : beside) thread.join();
  }

  void begin_overlap(const Dialogue& dialogue, const std::string& model,
                     std::vector<std::thread>& beside) {
    ++tally_.overlapping;
    Dialogue other = dialogue;
    const size_t part = next_part_++;
    const std::string name = fmt::format("{}o{}", dialogue.name(), part);
    switch (other.draws().below(4)) {
      case 0: {  // the client's timer fired: the same request again
        Dialogue planner(name, "", 0, Draws(part));
        beside.emplace_back([this, body = body_of(other, model, true),
                             script = planner.plan(1, true).script,
                             model] { send(body, script, true, model); });
        return;
      }
      case 1:
        beside.emplace_back(
            [this, copy = std::move(other)] { side_request_of(copy, "Name this task", true); });
        return;
      case 2: {  // a sub-agent with a prompt and tools of its own
        ++tally_.sub_agents;
        Dialogue agent(name, "You search files.", 2, Draws(other.draws().next()));
        agent.say("hello, find the callers of " + name);
        beside.emplace_back([this, agent = std::move(agent)]() mutable {
          (void)work(agent, false, 1 + agent.draws().below(2));
        });
        return;
      }
      default: {  // a second tab goes on from here with another prompt
        Dialogue copy = other.renamed(name);
        copy.say("Prove it another way, in this tab");
        beside.emplace_back([this, copy = std::move(copy)]() mutable {
          (void)work(copy, false, 1 + copy.draws().below(2));
        });
        return;
      }
    }
  }

  void side_request(std::string_view task, bool with_history) {
    side_request_of(main_, task, with_history);
  }
  void side_request_of(const Dialogue& dialogue, std::string_view task, bool with_history) {
    ++tally_.titles;
    // Without any id another system text is another session, where nobody can know the history.
    const bool is_known = identity_ != kNoIds;
    send(dialogue.side_request(task, with_history && is_known, cache_key()),
         R"({"content":"A title"})", false, "auto");
  }

  std::string body_of(const Dialogue& dialogue, std::string_view model, bool stream) const {
    return dialogue.body(model, stream, cache_key());
  }
  std::string cache_key() const { return identity_ == kKeyInBody ? "cache-" + main_.name() : ""; }

  // Until it is answered; failures are tried again as clients do. Of an answer that was cut, the
  // calls that had come may be taken for the whole.
  bool ask(Dialogue& dialogue, const std::string& model, PlannedAnswer& answer) {
    Draws& draws = dialogue.draws();
    const bool stream = draws.percent(70);
    for (size_t i = 0; i < kTriesMax; ++i) {
      std::string script = answer.script;
      if (draws.percent(kFailurePercent)) {
        ++tally_.failures;
        script = with_failure(script, draws.below(4));
      }
      const Came came = send(body_of(dialogue, model, stream), script, stream, model);
      if (came.whole) return true;
      const auto has = [&](const std::string& part) {
        return came.text.find(part) != std::string::npos;
      };
      const bool has_calls = !answer.call_ids.empty() &&
                             std::ranges::all_of(answer.call_ids, has) &&
                             std::ranges::all_of(answer.opaque, has);
      if (has_calls && draws.percent(50)) {
        ++tally_.cut_loops;
        return true;
      }
      // What a router says while an endpoint rests.
      if (i > 1 && options_.wait) options_.wait(std::chrono::milliseconds(10 * i));
    }
    return false;
  }

  static std::string with_failure(std::string script, size_t kind) {
    switch (kind) {
      case 0:
        return R"({"status":429})";
      case 1:
        return R"({"status":503})";
      case 2:
        return R"({"fault":"empty"})";
      default:
        script.insert(1, R"("fault":"close_mid_stream",)");
        return script;
    }
  }

  Headers headers(const std::string& request_id, const std::string& script) const {
    Headers out = {{"content-type", "application/json"},
                   {"x-request-id", request_id},
                   {"x-sim-answer", script}};
    const std::string& name = main_.name();
    switch (identity_) {
      case 0:
        out.emplace_back("x-session-id", "session-" + name);
        out.emplace_back("x-conversation-id", "run-" + name);
        break;
      case 1:
        out.emplace_back("x-session-id", "session-" + name);
        break;
      case 2:
        out.emplace_back("x-claude-code-session-id", name);
        break;
      case 3:
        out.emplace_back("session_id", name);
        out.emplace_back("x-codex-turn-metadata",
                         fmt::format(R"({{"turn_id":"{}-{}"}})", name, turn_));
        break;
      default:  // nothing, or a key in the body
        break;
    }
    return out;
  }

  Came send(const std::string& body, const std::string& script, bool stream,
            const std::string& model) {
    Came came;
    ++tally_.requests;
    if (stream) ++tally_.streamed;
    const std::string request_id = fmt::format("{}-{}", main_.name(), next_request_++);
    if (model != "auto") {
      ++tally_.named;
      tally_.note_choice(request_id);
    }
    const auto answer =
        http::fetch("POST", options_.url + "/v1/chat/completions", headers(request_id, script),
                    body, kRequestTime, [&](std::string_view piece) { came.text += piece; });
    if (!answer) return came;
    for (const auto& [name, value] : answer->headers) {
      if (name == "x-vsr-selected-decision" && options_.bypass_decisions.contains(value)) {
        ++tally_.bypassed;
        tally_.note_choice(request_id);
      }
    }
    // A stream that broke ends with an error event.
    came.whole = answer->status == 200 && came.text.find("\"error\"") == std::string::npos &&
                 (!stream || came.text.find("[DONE]") != std::string::npos) &&
                 came.text.find("\"usage\"") != std::string::npos;
    return came;
  }

  const AuditOptions& options_;
  Tally& tally_;
  const size_t identity_;
  Dialogue main_;
  const bool overlaps_;
  size_t turn_ = 0;
  std::atomic<size_t> next_request_{0};
  std::atomic<size_t> next_part_{0};
};

AuditReport report_of(const AuditOptions& options, const Tally& tally) {
  AuditReport out;
  out.sessions = options.sessions;
  out.given_up = tally.given_up;
  out.requests = tally.requests;
  out.streamed = tally.streamed;
  out.failures_injected = tally.failures;
  out.overlapping = tally.overlapping;
  out.named = tally.named;
  out.bypassed = tally.bypassed;
  out.titles = tally.titles;
  out.sub_agents = tally.sub_agents;
  out.cut_loops = tally.cut_loops;
  out.deliveries = options.auditor->counts();
  std::set<std::string_view> requests;
  std::set<std::pair<std::string_view, std::string_view>> seen;
  const std::vector<sim::Misdelivery> misdeliveries = options.auditor->misdeliveries();
  for (const sim::Misdelivery& astray : misdeliveries) {
    // A gateway that tries a request again at another backend delivers its ids again.
    if (!seen.emplace(astray.request_id, astray.id).second) continue;
    if (tally.by_choice.contains(astray.request_id)) {
      ++out.by_choice;
      continue;
    }
    ++out.violations;
    requests.insert(astray.request_id);
    if (out.examples.size() < kExamplesMax) out.examples.push_back(astray);
  }
  out.requests_astray = requests.size();
  return out;
}

}  // namespace

Result<AuditReport> run_audit(const AuditOptions& options) {
  if (options.sessions == 0 || options.sessions > kAuditSessionsMax || options.threads == 0 ||
      options.threads > kAuditThreadsMax || !options.auditor) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("an audit needs an auditor, 1 to {} sessions and 1 to {} threads",
                            kAuditSessionsMax, kAuditThreadsMax));
  }
  Tally tally;
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (size_t i = 0; i < options.threads; ++i) {
    threads.emplace_back([&] {
      for (size_t number = next++; number < options.sessions; number = next++) {
        Session(options, tally, number).run();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return report_of(options, tally);
}

}  // namespace vsr::eval
