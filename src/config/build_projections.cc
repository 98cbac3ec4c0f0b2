#include <fmt/format.h>

#include <algorithm>

#include "config/build_rules.h"
#include "config/load.h"

namespace vsr::config {
namespace {

// ---- partitions ---------------------------------------------------------------------------------

// "domain:law" or "law": members may name their type; without, it is the type that knows them all.
struct MemberName {
  std::optional<SignalType> type;
  std::string_view name;
};

MemberName parse_member(std::string_view text) {
  SignalType type{};
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos && parse_leaf_name(text.substr(0, colon), type)) {
    return {type, text.substr(colon + 1)};
  }
  return {std::nullopt, text};
}

SignalType type_of_members(const Config& config, const std::vector<std::string>& members) {
  std::array<size_t, kSignalTypes> found{};
  for (const std::string& text : members) {
    const MemberName member = parse_member(text);
    for (size_t i = 0; i < kSignalTypes; ++i) {
      const auto type = static_cast<SignalType>(i);
      if (member.type.value_or(type) != type) continue;
      if (member.type || config.find_signal(type, member.name) != kNoSignal) ++found[i];
    }
  }
  return static_cast<SignalType>(std::ranges::max_element(found) - found.begin());
}

SignalId member_signal(Build& build, const View& at, std::string_view text, SignalType type) {
  const MemberName member = parse_member(text);
  if (member.type && *member.type != type) {
    build.error(
        at,
        fmt::format("{} is not of type {} as the other members are", quote(text), leaf_name(type)),
        std::string(text), std::string(leaf_name(type)));
    return kNoSignal;
  }
  const SignalId id = build.config.find_signal(type, member.name);
  if (id == kNoSignal) {
    build.unknown(at, fmt::format("{} signal", leaf_name(type)), member.name,
                  signal_names(build.config, type));
  }
  return id;
}

void build_partitions(Build& build, const View& list) {
  Names names("partition");
  std::map<SignalId, std::string> taken;
  for (const View& view : list.items()) {
    Partition partition;
    partition.name = names.take(build, view);
    partition.softmax = view["semantics"].choice().value_or(0) == 1;
    read(view["temperature"], partition.temperature);
    const View members = view["members"];
    const std::vector<std::string> texts = members.texts();
    if (texts.empty()) {
      build.error(members, "a partition needs members", "", "names of signals of one type");
      continue;
    }
    const SignalType type = type_of_members(build.config, texts);
    const std::vector<View> items = members.items();
    for (size_t i = 0; i < texts.size(); ++i) {
      const View& at = i < items.size() ? items[i] : members;
      const SignalId id = member_signal(build, at, texts[i], type);
      if (id == kNoSignal) continue;
      const auto [earlier, is_new] = taken.emplace(id, partition.name);
      if (!is_new) {
        build.error(at,
                    fmt::format("{} is already a member of partition {}", quote(texts[i]),
                                quote(earlier->second)),
                    texts[i], "a signal that is in no partition");
        continue;
      }
      partition.members.push_back(id);
    }
    const View fallback = view["default"];
    if (const auto text = fallback.text()) {
      partition.fallback = build.config.find_signal(type, parse_member(*text).name);
      if (std::ranges::find(partition.members, partition.fallback) == partition.members.end()) {
        build.unknown(fallback, "member of this partition", *text,
                      std::vector<std::string_view>(texts.begin(), texts.end()));
      }
    }
    build.config.partitions.push_back(std::move(partition));
  }
}

// ---- scores -------------------------------------------------------------------------------------

// A score as written: inputs that are scores are known by name until all are read.
struct Draft {
  Score score;
  View view;
  std::vector<std::pair<size_t, size_t>> needs;  // (input, draft that it names)
  enum { kNew, kOpen, kDone } state = kNew;
};

size_t draft_named(const std::vector<Draft>& drafts, std::string_view name) {
  for (size_t i = 0; i < drafts.size(); ++i) {
    if (drafts[i].score.name == name) return i;
  }
  return drafts.size();
}

void score_input(Build& build, const View& view, std::vector<Draft>& drafts, Draft& draft) {
  ScoreInput input;
  read(view["weight"], input.weight);
  // A metric is a number and nothing else; "score" is another word for it.
  read_choice(view["value_source"], input.source);
  if (view["value_source"].choice().value_or(0) == 3) input.source = ValueSource::kRaw;
  read(view["match"], input.match);
  read(view["miss"], input.miss);
  const View type_at = view["type"];
  const std::string type_name = build.required(type_at);
  if (type_name.empty()) return;
  if (type_name == "kb_metric") {
    input.source = ValueSource::kRaw;
    input.signal = kb_metric(build, view);
    if (input.signal != kNoSignal) draft.score.inputs.push_back(input);
    return;
  }
  SignalType type{};
  if (!parse_leaf_name(type_name, type)) {
    std::vector<std::string_view> known = {"kb_metric"};
    for (size_t i = 0; i < kSignalTypes; ++i)
      known.push_back(leaf_name(static_cast<SignalType>(i)));
    build.unknown(type_at, "signal type", type_name, known);
    return;
  }
  const View name_at = view["name"];
  const std::string name = build.required(name_at);
  if (name.empty()) return;
  if (type == SignalType::kProjection) {
    const size_t other = draft_named(drafts, name);
    if (other == drafts.size()) {
      std::vector<std::string_view> known;
      for (const Draft& one : drafts) known.push_back(one.score.name);
      build.unknown(name_at, "score", name, known);
      return;
    }
    draft.needs.emplace_back(draft.score.inputs.size(), other);
  } else {
    input.signal = build.config.find_signal(type, name);
    if (input.signal == kNoSignal) {
      build.unknown(name_at, fmt::format("{} signal", type_name), name,
                    signal_names(build.config, type));
      return;
    }
  }
  draft.score.inputs.push_back(input);
}

// Appends the scores in an order in which each names only earlier ones. Depth first without
// recursion: `path` is the chain of scores that are being visited.
class ScoreOrder {
 public:
  ScoreOrder(Build& build, std::vector<Draft>& drafts) : build_(build), drafts_(drafts) {}

  void run() {
    index_of_.assign(drafts_.size(), 0);
    for (size_t i = 0; i < drafts_.size(); ++i) visit(i);
  }

 private:
  void visit(size_t start) {
    if (drafts_[start].state != Draft::kNew) return;
    std::vector<std::pair<size_t, size_t>> path = {{start, 0}};
    drafts_[start].state = Draft::kOpen;
    while (!path.empty()) {
      auto& [at, next] = path.back();
      Draft& draft = drafts_[at];
      if (next == draft.needs.size()) {
        finish(at);
        path.pop_back();
        continue;
      }
      const size_t other = draft.needs[next++].second;
      if (drafts_[other].state == Draft::kOpen) {
        report_cycle(path, other);
      } else if (drafts_[other].state == Draft::kNew) {
        drafts_[other].state = Draft::kOpen;
        path.emplace_back(other, 0);
      }
    }
  }

  void finish(size_t at) {
    Draft& draft = drafts_[at];
    for (const auto& [input, other] : draft.needs) {
      draft.score.inputs[input].score = index_of_[other];
    }
    index_of_[at] = static_cast<uint16_t>(build_.config.scores.size());
    draft.state = Draft::kDone;
    build_.config.scores.push_back(std::move(draft.score));
  }

  void report_cycle(const std::vector<std::pair<size_t, size_t>>& path, size_t back_to) {
    std::string chain;
    bool inside = false;
    for (const auto& [at, next] : path) {
      inside = inside || at == back_to;
      if (inside) chain += drafts_[at].score.name + " → ";
    }
    chain += drafts_[back_to].score.name;
    build_.error(drafts_[back_to].view,
                 fmt::format("scores name each other in a circle: {}", chain), chain,
                 "scores that can be computed one after the other");
  }

  Build& build_;
  std::vector<Draft>& drafts_;
  std::vector<uint16_t> index_of_;
};

void build_scores(Build& build, const View& list) {
  Names names("score");
  std::vector<Draft> drafts;
  for (const View& view : list.items()) {
    Score score;
    score.name = names.take(build, view);
    if (score.name.empty()) continue;
    if (drafts.size() >= kSignalsMax) {
      build.error(view, fmt::format("more than {} scores", kSignalsMax));
      break;
    }
    drafts.push_back({std::move(score), view, {}});
  }
  for (Draft& draft : drafts) {
    const View inputs = draft.view["inputs"];
    for (const View& input : inputs.items()) score_input(build, input, drafts, draft);
    if (inputs.items().empty()) {
      build.error(inputs, "a score needs inputs", "", "a list of {type, name, weight}");
    }
  }
  ScoreOrder(build, drafts).run();
}

// ---- mappings -----------------------------------------------------------------------------------

void build_mappings(Build& build, const View& list) {
  Names names("mapping");
  Names output_names("output");
  for (const View& view : list.items()) {
    Mapping mapping;
    mapping.name = names.take(build, view);
    mapping.multi_emit = view["method"].choice().value_or(0) == 1;
    read(view["calibration"]["slope"], mapping.slope);
    const View source = view["source"];
    const std::string source_name = build.required(source);
    const auto& scores = build.config.scores;
    const auto score = std::ranges::find(scores, source_name, &Score::name);
    mapping.score = static_cast<uint16_t>(score - scores.begin());
    if (score == scores.end() && !source_name.empty()) {
      std::vector<std::string_view> known;
      for (const Score& one : scores) known.push_back(one.name);
      build.unknown(source, "score", source_name, known);
    }
    const View outputs = view["outputs"];
    if (outputs.items().empty()) {
      build.error(outputs, "a mapping needs outputs", "", "a list of {name, lt|lte|gt|gte}");
    }
    for (const View& at : outputs.items()) {
      if (build.config.signals.size() >= kSignalsMax) {
        build.error(at, fmt::format("more than {} signals", kSignalsMax));
        return;
      }
      MappingOutput output;
      output.name = output_names.take(build, at);
      output.bounds = read_predicate(build, at);
      if (output.name.empty()) continue;
      output.signal = static_cast<SignalId>(build.config.signals.size());
      build.config.signals.push_back({SignalType::kProjection,
                                      static_cast<uint16_t>(build.config.mappings.size()),
                                      static_cast<uint16_t>(mapping.outputs.size()), output.name});
      mapping.outputs.push_back(std::move(output));
    }
    build.config.mappings.push_back(std::move(mapping));
  }
}

}  // namespace

void build_projections(Build& build, const View& view) {
  build_partitions(build, view["partitions"]);
  build_scores(build, view["scores"]);
  build_mappings(build, view["mappings"]);
}

}  // namespace vsr::config
