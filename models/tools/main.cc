// Trains, holds out and scores the linear heads. Driven by `models/train`, which prepares the rows,
// turns scores into figures and writes the manifest.
//
//   train_heads fit SETTINGS ROWS OUT        fit every head on its `fit` rows, write the weights
//   train_heads holdout HEAD SETTINGS ROWS   for each holdout key: fit without it, print its rows
//   train_heads calibrate WEIGHTS SETTINGS OUT   the same weights with the calibration of SETTINGS
//   train_heads states ENCODER LAYERS WINDOW TEXTS OUT   what the first layers of the encoder make
//   of
//                                            each line of TEXTS, at most WINDOW tokens of it: to
//                                            OUT one bfloat16 row a token, to standard output the
//                                            tokens
//   train_heads score WEIGHTS ROWS HEAD      print rows with `use` dev or none, by HeadBank itself
//
// SETTINGS holds lines `name value`. Printed lines are: id, use, holdout, label, logits…

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "nn/head_bank.h"
#include "nn/sentence_encoder.h"
#include "tools/fit.h"
#include "tools/rows.h"

namespace vsr::models {
namespace {

class Settings {
 public:
  explicit Settings(const std::string& path) {
    std::ifstream in(path);
    if (!in) give_up("cannot read " + path);
    std::string name;
    for (float value = 0; in >> name >> value;) values_[name] = value;
    if (!in.eof()) give_up(fmt::format("bad value behind '{}' in {}", name, path));
  }
  float get(const std::string& name, float otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }

 private:
  std::map<std::string, float> values_;
};

nn::FeatureConfig feature_config(const Settings& settings) {
  nn::FeatureConfig config;
  const auto get = [&](const char* name, uint32_t otherwise) {
    return static_cast<uint32_t>(settings.get(name, static_cast<float>(otherwise)));
  };
  config.bucket_bits = get("features.bucket_bits", config.bucket_bits);
  config.gram_min = get("features.gram_min", config.gram_min);
  config.gram_max = get("features.gram_max", config.gram_max);
  config.block_bytes = get("features.block_bytes", config.block_bytes);
  return config;
}

FitOptions fit_options(const Settings& settings, std::string_view head) {
  FitOptions options;
  const auto get = [&](const char* name, float otherwise) {
    return settings.get(fmt::format("{}.{}", head, name), otherwise);
  };
  options.epochs = static_cast<int>(get("epochs", static_cast<float>(options.epochs)));
  options.rate = get("rate", options.rate);
  options.l2 = get("l2", options.l2);
  options.dropout = get("dropout", options.dropout);
  options.shape_rate = get("shape_rate", options.shape_rate);
  return options;
}

std::string_view use_name(Use use) {
  return use == Use::kFit ? "fit" : use == Use::kDev ? "dev" : "none";
}

void print_row(const Row& row, std::span<const float> values) {
  fmt::print("{}\t{}\t{}\t{}", row.id, use_name(row.use), row.holdout, row.label);
  for (const float value : values) fmt::print("\t{:.6g}", value);
  fmt::print("\n");
}

std::vector<Features> features_of_all(std::span<const Row> rows, const nn::FeatureConfig& config) {
  std::vector<Features> out;
  out.reserve(rows.size());
  for (const Row& row : rows) out.push_back(features_of(row.text, config));
  return out;
}

nn::Platt platt(const Settings& settings, const std::string& head) {
  return {settings.get(head + ".slope", 1), settings.get(head + ".offset", 0)};
}

void calibrate(const Settings& settings, nn::HeadParameters& parameters) {
  parameters.domain_temperature = settings.get("domain.temperature", 1);
  parameters.tier_temperature = settings.get("tier.temperature", 1);
  parameters.jailbreak = platt(settings, "jailbreak");
  parameters.harmful = platt(settings, "harmful");
  parameters.difficulty = platt(settings, "difficulty");
  parameters.jailbreak_threshold = settings.get("jailbreak.threshold", 0.5F);
  parameters.harmful_threshold = settings.get("harmful.threshold", 0.5F);
}

void write_heads(const nn::HeadParameters& parameters, std::span<const int8_t> weights,
                 const std::string& path) {
  const std::string file = nn::encode_heads(parameters, weights);
  std::ofstream out(path, std::ios::binary);
  out.write(file.data(), static_cast<std::streamsize>(file.size()));
  out.close();
  if (!out) give_up("cannot write " + path);
}

int fit_all(const Settings& settings, const std::string& rows_path, const std::string& out_path) {
  nn::HeadParameters parameters;
  parameters.features = feature_config(settings);
  parameters.scale.fill(1);
  std::vector<int8_t> weights((size_t{1} << parameters.features.bucket_bits) * nn::kColumns);
  for (const HeadSpec& spec : kHeadSpecs) {
    const std::vector<Row> rows = read_rows(rows_path, spec.name);
    const std::vector<Features> features = features_of_all(rows, parameters.features);
    std::vector<Example> examples;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].use == Use::kFit) {
        examples.push_back({&features[i], rows[i].weight, rows[i].label});
      }
    }
    if (examples.empty()) give_up(fmt::format("no rows to fit {} on", spec.name));
    quantize(spec, fit(spec, parameters.features, fit_options(settings, spec.name), examples),
             parameters, weights);
  }
  write_heads(parameters, weights, out_path);
  return 0;
}

int calibrate_file(const std::string& weights_path, const Settings& settings,
                   const std::string& out_path) {
  std::ifstream in(weights_path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  Result<nn::HeadView> view =
      nn::parse_heads({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  if (!view) give_up(view.error().message);
  calibrate(settings, view->parameters);
  write_heads(view->parameters, view->rows, out_path);
  return 0;
}

int hold_out(const HeadSpec& spec, const Settings& settings, const std::string& rows_path) {
  const nn::FeatureConfig config = feature_config(settings);
  const std::vector<Row> rows = read_rows(rows_path, spec.name);
  const std::vector<Features> features = features_of_all(rows, config);
  std::set<std::string> keys;
  for (const Row& row : rows) {
    if (row.holdout != "-") keys.insert(row.holdout);
  }
  for (const std::string& key : keys) {
    std::vector<Example> examples;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].use == Use::kFit && rows[i].holdout != key) {
        examples.push_back({&features[i], rows[i].weight, rows[i].label});
      }
    }
    const LinearModel model = fit(spec, config, fit_options(settings, spec.name), examples);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].holdout == key) print_row(rows[i], predict(spec, model, features[i]));
    }
  }
  return 0;
}

int score(const std::string& weights, const std::string& rows_path, const HeadSpec& spec) {
  const Result<nn::HeadBank> bank = nn::HeadBank::load(weights);
  if (!bank) give_up(bank.error().message);
  for (const Row& row : read_rows(rows_path, spec.name)) {
    if (row.use == Use::kFit) continue;
    const nn::HeadLogits logits = bank->logits(row.text);
    if (spec.column == nn::kJailbreakColumn) {
      print_row(row, {&logits.jailbreak, 1});
    } else if (spec.column == nn::kHarmfulColumn) {
      print_row(row, {&logits.harmful, 1});
    } else {
      print_row(row, std::span(logits.whole).subspan(spec.column, spec.outputs));
    }
  }
  return 0;
}

int write_states(const std::string& encoder_path, size_t layers, size_t window,
                 const std::string& texts_path, const std::string& out_path) {
  const auto encoder = nn::SentenceEncoder::load(encoder_path);
  if (!encoder) give_up(encoder.error().message);
  std::ifstream in(texts_path);
  std::ofstream out(out_path, std::ios::binary);
  std::vector<float> hidden;
  std::vector<uint16_t> rounded;
  for (std::string line; std::getline(in, line);) {
    const Status done = (*encoder)->hidden(unescape(line), layers, window, hidden);
    if (!done) give_up(done.error().message);
    rounded.resize(hidden.size());
    std::ranges::transform(hidden, rounded.begin(), [](float x) {
      const auto bits = std::bit_cast<uint32_t>(x);
      return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    });
    out.write(reinterpret_cast<const char*>(rounded.data()),
              static_cast<std::streamsize>(rounded.size() * sizeof(uint16_t)));
    fmt::print("{}\n", hidden.size() / (*encoder)->dims());
  }
  out.close();
  if (!out) give_up("cannot write " + out_path);
  return 0;
}

size_t count_of(const char* text) { return static_cast<size_t>(std::strtoul(text, nullptr, 10)); }

int run(std::span<char*> args) {
  const std::string mode = args.size() > 1 ? args[1] : "";
  if (mode == "fit" && args.size() == 5) return fit_all(Settings(args[2]), args[3], args[4]);
  if (mode == "holdout" && args.size() == 5) {
    return hold_out(head_spec(args[2]), Settings(args[3]), args[4]);
  }
  if (mode == "calibrate" && args.size() == 5) {
    return calibrate_file(args[2], Settings(args[3]), args[4]);
  }
  if (mode == "states" && args.size() == 7) {
    return write_states(args[2], count_of(args[3]), count_of(args[4]), args[5], args[6]);
  }
  if (mode == "score" && args.size() == 5) return score(args[2], args[3], head_spec(args[4]));
  give_up(
      "usage: train_heads fit SETTINGS ROWS OUT | holdout HEAD SETTINGS ROWS | "
      "calibrate WEIGHTS SETTINGS OUT | states ENCODER LAYERS WINDOW TEXTS OUT | "
      "score WEIGHTS ROWS HEAD");
}

}  // namespace
}  // namespace vsr::models

int main(int argc, char** argv) { return vsr::models::run({argv, static_cast<size_t>(argc)}); }
