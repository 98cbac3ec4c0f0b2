// Reads and runs the text form of policy cases (policy_case_fixture.h); policy_files_test.cc has
// the tests.
#include <algorithm>
#include <charconv>

#include "base/strings.h"
#include "nn/head_bank.h"
#include "nn/sentence_encoder.h"
#include "router/policy_case_fixture.h"
#include "router/router_fixture.h"

namespace vsr::router {

namespace {

// ---- reading ------------------------------------------------------------------------------------

struct Word {
  std::string_view name;
  int arguments_min;
  int arguments_max;  // words; -1 = any text
};
constexpr Word kWords[] = {
    {"system", 1, -1},        {"developer", 1, -1},
    {"user", 1, -1},          {"assistant", 1, -1},
    {"call", 1, -1},          {"result", 1, -1},
    {"message", 1, -1},       {"pad", 1, 1},
    {"tools", 1, -1},         {"model", 1, 1},
    {"header", 2, -1},        {"field", 2, -1},
    {"down", 1, -1},          {"up", 1, -1},
    {"state", 2, -1},         {"wait", 1, 1},
    {"answer", 1, -1},        {"answer-call", 1, -1},
    {"-> decision", 1, 1},    {"-> model", 1, 1},
    {"-> confidence", 1, 1},  {"-> status", 1, 1},
    {"-> candidates", 1, -1}, {"-> dropped", 2, 2},
    {"-> reasoning", 1, 2},   {"-> action", 1, 1},
    {"-> reason", 1, 1},      {"-> phase", 1, 1},
    {"-> matched", 1, -1},    {"-> unmatched", 1, -1},
    {"-> score", 2, 2},       {"-> failing", 2, -1},
    {"-> private", 1, 1},     {"-> error", 1, 1},
    {"-> note", 1, -1},
};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (const std::string_view word : split(text, ' ')) {
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

// The first word of `text`; what follows it is left in `text`.
std::string take_word(std::string_view& text) {
  const size_t end = std::min(text.find(' '), text.size());
  const std::string word(text.substr(0, end));
  text.remove_prefix(std::min(text.find_first_not_of(' ', end), text.size()));
  return word;
}

class CaseReader {
 public:
  CaseReader(std::string_view text, const std::string& file, const std::string& root)
      : file_(file), root_(root) {
    for (const std::string_view line : split(text, '\n')) lines_.emplace_back(line);
  }

  Result<std::vector<PolicyCase>> read() {
    while (at_ < lines_.size()) {
      if (auto done = read_line(); !done) return std::unexpected(done.error());
    }
    if (cases_.empty()) return bad("the file has no case");
    if (auto complete = check_last(); !complete) return std::unexpected(complete.error());
    return std::move(cases_);
  }

 private:
  std::unexpected<Error> bad(const std::string& what) const {
    const size_t line = std::max<size_t>(at_, 1);
    return fail(ErrorCode::kInvalidArgument, fmt::format("{}:{}: {}", file_, line, what));
  }

  Result<void> read_line() {
    std::string_view line = trim(lines_[at_]);
    const bool indented = lines_[at_].starts_with(' ');
    ++at_;
    if (line.empty() || line.starts_with('#')) return {};
    if (indented) return bad("only the text of a recipe is indented");
    if (line == "recipe:") return read_recipe_block();
    std::string word = take_word(line);
    if (word == "->" && !line.empty()) word += " " + take_word(line);
    if (word == "recipe-file") return read_recipe_file(std::string(line));
    if (word == "case") return begin_case(line);
    return add_line(std::move(word), line);
  }

  Result<void> read_recipe_block() {
    recipe_place_ = fmt::format("{}:{}", file_, at_);
    recipe_.clear();
    for (; at_ < lines_.size(); ++at_) {
      if (!trim(lines_[at_]).empty() && !lines_[at_].starts_with(' ')) break;
      recipe_ += lines_[at_] + "\n";
    }
    if (trim(recipe_).empty()) return bad("the recipe is empty");
    if (trim(recipe_).starts_with("version:")) return {};
    auto models = config::read_recipe(root_ + "/tests/policy/models.yaml");
    if (!models) return bad(models.error().message);
    recipe_ = *models + recipe_;
    return {};
  }

  Result<void> read_recipe_file(const std::string& path) {
    auto text = config::read_recipe(root_ + "/" + path);
    if (!text) return bad(text.error().message);
    recipe_ = std::move(*text);
    recipe_place_ = path;
    return {};
  }

  Result<void> begin_case(std::string_view name) {
    if (auto complete = check_last(); !complete) return complete;
    if (name.empty()) return bad("a case has a name");
    if (recipe_.empty()) return bad("a recipe comes before the first case");
    for (const PolicyCase& other : cases_) {
      if (other.name == name) return bad(fmt::format("line {} has this name too", other.line));
    }
    cases_.push_back({file_, static_cast<int>(at_), std::string(name), recipe_, recipe_place_, {}});
    return {};
  }

  Result<void> add_line(std::string word, std::string_view rest) {
    if (cases_.empty()) return bad(fmt::format("{} outside of a case", word));
    const Word* known = std::ranges::find(kWords, word, &Word::name);
    if (known == std::end(kWords)) {
      std::vector<std::string_view> names;
      for (const Word& w : kWords) names.push_back(w.name);
      const std::string_view close = nearest(word, names);
      return bad(fmt::format("unknown word \"{}\"{}", word,
                             close.empty() ? "" : fmt::format("; did you mean \"{}\"?", close)));
    }
    const auto count = static_cast<int>(words_of(rest).size());
    if (count < known->arguments_min || (known->arguments_max >= 0 && count > known->arguments_max))
      return bad(fmt::format("\"{}\" with {} words after it", word, count));
    cases_.back().lines.push_back({static_cast<int>(at_), std::move(word), std::string(rest)});
    return {};
  }

  Result<void> check_last() const {
    if (cases_.empty()) return {};
    const PolicyCase& last = cases_.back();
    const auto expects = [](const CaseLine& line) { return line.word.starts_with("-> "); };
    if (std::ranges::none_of(last.lines, expects)) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{}:{}: the case expects nothing", file_, last.line));
    }
    return {};
  }

  const std::string file_;
  const std::string root_;
  std::vector<std::string> lines_;
  size_t at_ = 0;
  std::string recipe_;
  std::string recipe_place_;
  std::vector<PolicyCase> cases_;
};

// ---- running ------------------------------------------------------------------------------------

class CaseRunner {
 public:
  explicit CaseRunner(const PolicyCase& policy_case)
      : case_(policy_case), world_(policy_case.recipe, heads(), vectors()) {}

  void run() {
    if (world_.router_ == nullptr) return;
    for (const CaseLine& line : case_.lines) {
      const testing::ScopedTrace trace(case_.file.c_str(), line.number,
                                       line.word + " " + line.rest);
      line_ = &line;
      if (line.word.starts_with("-> ")) {
        expect(line.word.substr(3), line.rest);
      } else {
        build(line.word, line.rest);
      }
    }
  }

 private:
  static std::shared_ptr<const nn::HeadBank> heads() {
    static const std::shared_ptr<const nn::HeadBank> bank = [] {
      auto loaded = nn::HeadBank::load(VSR_SOURCE_DIR "/models/heads.bin");
      return loaded ? std::make_shared<const nn::HeadBank>(std::move(*loaded)) : nullptr;
    }();
    return bank;
  }

  // The shipped encoder, shared by all cases so that nothing is encoded twice.
  static std::shared_ptr<nn::Vectors> vectors() {
    static const std::shared_ptr<nn::Vectors> shared = [] {
      auto loaded = nn::SentenceEncoder::load(VSR_SOURCE_DIR "/models/encoder.bin");
      return loaded ? std::make_shared<nn::Vectors>(std::move(*loaded), "") : nullptr;
    }();
    return shared;
  }

  void wrong(const std::string& what) {
    ADD_FAILURE() << case_.file << ":" << line_->number << ": " << what;
  }

  double number(std::string_view text) {
    double value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
      wrong(fmt::format("{} is not a number", text));
    }
    return value;
  }

  // kNoModel, and a failure, if there is none.
  config::ModelId model(std::string_view name) {
    const config::ModelId id = world_.config_->find_model(name);
    if (id == config::kNoModel) wrong(fmt::format("the recipe has no model {}", name));
    return id;
  }

  void add(std::string text) {
    messages_.push_back(std::move(text));
    decision_.reset();
  }

  void build(std::string_view word, std::string_view rest) {
    decision_.reset();
    if (word == "call") {
      const std::string id = take_word(rest);
      add(call(id, rest.empty() ? "{}" : rest));
    } else if (word == "result") {
      const std::string id = take_word(rest);
      add(result(id, rest));
    } else if (word == "message") {
      add(std::string(rest));
    } else if (word == "pad") {
      pad(static_cast<size_t>(number(rest)));
    } else if (word == "tools") {
      fields_["tools"] = tools(rest);
    } else if (word == "field") {
      const std::string name = take_word(rest);
      fields_[name] = rest;
    } else if (word == "model") {
      model_ = rest;
    } else if (word == "header") {
      const std::string name = take_word(rest);
      world_.headers_[name] = rest;
    } else if (word == "down" || word == "up") {
      for (const std::string& name : words_of(rest)) {
        const config::ModelId id = model(name);
        if (id != config::kNoModel) world_.origin_.models[id].healthy = word == "up";
      }
    } else if (word == "state") {
      set_state(rest);
    } else if (word == "wait") {
      world_.clock_.advance(std::chrono::seconds(static_cast<int64_t>(number(rest))));
    } else if (word == "answer" || word == "answer-call") {
      answer(word == "answer-call", rest);
    } else {
      add(message(word, rest));
    }
  }

  // Into the content of the last message, which ends in a quote and braces.
  void pad(size_t bytes) {
    if (messages_.empty() || !messages_.back().ends_with("\"}")) return wrong("nothing to pad");
    std::string& last = messages_.back();
    last.insert(last.size() - 2, " " + std::string(bytes, 'a'));
  }

  static std::string tools(std::string_view names) {
    std::string list;
    for (const std::string& name : words_of(names)) {
      list += fmt::format(R"({}{{"type":"function","function":{{"name":{}}}}})",
                          list.empty() ? "" : ",", json_text(name));
    }
    return "[" + list + "]";
  }

  void set_state(std::string_view rest) {
    const config::ModelId id = model(take_word(rest));
    if (id == config::kNoModel) return;
    policy::ModelState& state = world_.origin_.models[id];
    for (const std::string& pair : words_of(rest)) {
      const size_t equals = std::min(pair.find('='), pair.size());
      const std::string key = pair.substr(0, equals);
      const double value = number(std::string_view(pair).substr(std::min(equals + 1, pair.size())));
      const std::map<std::string_view, double*> latencies = {
          {"ttft_p50_ms", &state.ttft.p50_ms},
          {"ttft_p95_ms", &state.ttft.p95_ms},
          {"tpot_p50_ms", &state.tpot.p50_ms},
          {"tpot_p95_ms", &state.tpot.p95_ms},
      };
      if (key == "in_flight") {
        state.in_flight = static_cast<uint32_t>(value);
      } else if (const auto latency = latencies.find(key); latency != latencies.end()) {
        *latency->second = value;
      } else {
        wrong("unknown measure " + key);
      }
    }
  }

  void answer(bool with_call, std::string_view rest) {
    const Decision& decision = decided();
    if (decision.error) return wrong("an answer to a request that is refused");
    world_.answer(decision);
    if (!with_call) return add(assistant(rest));
    const std::string id = take_word(rest);
    world_.router_->add_tool_call(decision, id, world_.clock_.unix_ms());
    add(call(id, rest.empty() ? "{}" : rest));
  }

  const Decision& decided() {
    if (!decision_) {
      std::string more;
      for (const auto& [name, value] : fields_) more += fmt::format(",\"{}\":{}", name, value);
      world_.origin_.evaluate_all = false;
      decision_ = world_.decide(body(model_, messages_, more));
    }
    return *decision_;
  }

  // Of everything, also of what need not be evaluated for the winner.
  policy::Explanation explained() {
    std::string more;
    for (const auto& [name, value] : fields_) more += fmt::format(",\"{}\":{}", name, value);
    world_.origin_.evaluate_all = world_.origin_.dry_run = true;
    const Decision all = world_.decide(body(model_, messages_, more));
    world_.origin_.evaluate_all = world_.origin_.dry_run = false;
    EXPECT_EQ(all.decision, decided().decision) << "full evaluation gives another winner";
    EXPECT_EQ(all.confidence, decided().confidence) << "full evaluation gives another confidence";
    return world_.router_->explain(all);
  }

  void expect(std::string_view what, std::string_view rest) {
    const Decision& got = decided();
    if (what == "decision") {
      EXPECT_EQ(got.rule() == nullptr ? "none" : got.rule()->name, rest) << winner_text();
    } else if (what == "model") {
      EXPECT_EQ(got.error || got.model == config::kNoModel ? "none" : world_.model_of(got), rest);
    } else if (what == "confidence") {
      EXPECT_NEAR(got.confidence, number(rest), 5e-5);
    } else if (what == "status") {
      EXPECT_EQ(policy::to_string(got.selection.status), rest);
    } else if (what == "candidates") {
      std::vector<std::string> names;
      for (const policy::Candidate& c : got.selection.candidates) {
        names.push_back(world_.model_name(c.model));
      }
      EXPECT_EQ(names, words_of(rest));
    } else if (what == "dropped") {
      expect_dropped(got, words_of(rest));
    } else if (what == "reasoning") {
      expect_reasoning(got, words_of(rest));
    } else if (what == "action") {
      EXPECT_EQ(learning::to_string(got.verdict.action), rest);
    } else if (what == "reason") {
      EXPECT_EQ(got.verdict.reason, rest);
    } else if (what == "phase") {
      EXPECT_EQ(to_string(got.phase), rest);
    } else if (what == "private") {
      EXPECT_EQ(got.is_private ? "yes" : "no", rest);
    } else if (what == "error") {
      EXPECT_EQ(got.error ? got.error->code : "none", rest);
    } else if (what == "note") {
      EXPECT_NE(got.selection.note.find(rest), std::string::npos) << got.selection.note;
    } else if (what == "score") {
      expect_score(words_of(rest));
    } else if (what == "failing") {
      expect_failing(rest);
    } else {
      expect_signals(what == "matched", words_of(rest));
    }
  }

  void expect_dropped(const Decision& got, const std::vector<std::string>& words) {
    const config::ModelId id = model(words[0]);
    const auto found = std::ranges::find(got.selection.dropped, id, &policy::Dropped::model);
    ASSERT_NE(found, got.selection.dropped.end()) << words[0] << " was not dropped";
    EXPECT_EQ(policy::to_string(found->reason), words[1]);
  }

  static void expect_reasoning(const Decision& got, const std::vector<std::string>& words) {
    EXPECT_EQ(!got.reasoning ? "unset" : *got.reasoning ? "on" : "off", words[0]);
    if (words.size() > 1) EXPECT_EQ(config::to_string(got.effort), words[1]);
  }

  void expect_score(const std::vector<std::string>& words) {
    for (const policy::ScoreTrace& score : explained().scores) {
      if (score.score != words[0]) continue;
      EXPECT_NEAR(score.value, number(words[1]), 5e-5);
      return;
    }
    wrong("the recipe has no score " + words[0]);
  }

  void expect_failing(std::string_view rest) {
    const std::string name = take_word(rest);
    for (const policy::DecisionTrace& trace : explained().decisions) {
      if (world_.config_->decisions[trace.decision].name != name) continue;
      EXPECT_EQ(trace.first_failing, rest);
      return;
    }
    wrong("the recipe has no decision " + name);
  }

  void expect_signals(bool matched, const std::vector<std::string>& labels) {
    const policy::Explanation explanation = explained();
    for (const std::string& label : labels) {
      const size_t colon = std::min(label.find(':'), label.size());
      config::SignalType type{};
      if (!config::parse_leaf_name(label.substr(0, colon), type)) {
        wrong(label + " has no known type");
        continue;
      }
      const config::SignalId id =
          world_.config_->find_signal(type, label.substr(std::min(colon + 1, label.size())));
      if (id == config::kNoSignal) {
        wrong("the recipe has no signal " + label);
        continue;
      }
      EXPECT_EQ(explanation.values[id].matched, matched) << label;
    }
  }

  // What an operator wants to see of a wrong winner.
  std::string winner_text() {
    std::string out;
    for (const policy::DecisionTrace& trace : explained().decisions) {
      const bool matched = trace.matched == policy::Tri::kTrue;
      out += fmt::format("  {}: {}\n", world_.config_->decisions[trace.decision].name,
                         matched ? fmt::format("matched, confidence {:.4f}", trace.confidence)
                                 : "not matched, first " + trace.first_failing);
    }
    return out;
  }

  const PolicyCase& case_;
  World world_;
  const CaseLine* line_ = nullptr;
  std::string model_ = "auto";
  std::vector<std::string> messages_;
  std::map<std::string, std::string> fields_;
  std::optional<Decision> decision_;
};

}  // namespace

Result<std::vector<PolicyCase>> read_policy_cases(std::string_view text, const std::string& file,
                                                  const std::string& root) {
  return CaseReader(text, file, root).read();
}

void run_policy_case(const PolicyCase& policy_case) { CaseRunner(policy_case).run(); }

}  // namespace vsr::router
