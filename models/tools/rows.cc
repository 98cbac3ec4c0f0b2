#include "tools/rows.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "base/strings.h"

namespace vsr::models {
namespace {

Use parse_use(std::string_view text) {
  if (text == "fit") return Use::kFit;
  if (text == "dev") return Use::kDev;
  if (text == "none") return Use::kNone;
  give_up(fmt::format("unknown use '{}'", text));
}

}  // namespace

const HeadSpec& head_spec(std::string_view name) {
  for (const HeadSpec& spec : kHeadSpecs) {
    if (spec.name == name) return spec;
  }
  give_up(fmt::format("unknown head '{}'", name));
}

Features features_of(std::string_view text, const nn::FeatureConfig& config) {
  Features out;
  nn::BlockReader reader(text, config);
  nn::Block block;
  while (reader.next(block)) {
    Features::Part& part = out.blocks.emplace_back();
    for (size_t g = 0; g < nn::kGroups; ++g) {
      const auto buckets = block.group(static_cast<nn::Group>(g));
      part.buckets.insert(part.buckets.end(), buckets.begin(), buckets.end());
      part.ends[g] = static_cast<uint32_t>(part.buckets.size());
    }
  }
  if (out.blocks.empty()) out.blocks.push_back({{}, {}});
  out.shape = reader.shape();
  return out;
}

std::vector<Row> read_rows(const std::string& path, std::string_view head) {
  std::ifstream in(path);
  if (!in) give_up("cannot read " + path);
  std::vector<Row> rows;
  std::string line;
  while (std::getline(in, line)) {
    const std::vector<std::string_view> fields = split(line, '\t');
    if (fields.size() != 7) give_up(fmt::format("{} fields in '{:.80}'", fields.size(), line));
    if (fields[0] != head) continue;
    rows.push_back({std::string(fields[1]), parse_use(fields[2]), std::string(fields[3]),
                    std::strtof(std::string(fields[4]).c_str(), nullptr),
                    std::strtof(std::string(fields[5]).c_str(), nullptr), unescape(fields[6])});
  }
  return rows;
}

}  // namespace vsr::models
