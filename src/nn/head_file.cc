#include "nn/head_file.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "base/check.h"
#include "base/id.h"
#include "text/hash.h"

namespace vsr::nn {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is read in place");

constexpr std::string_view kMagic = "VSRHEADS";
constexpr uint32_t kFileVersion = 1;
constexpr size_t kAlignment = 64;

// Exactly as it lies in the file; no padding inside.
struct Header {
  std::array<char, 8> magic;
  uint64_t checksum;  // XXH3 of every byte behind this field
  uint64_t file_bytes;
  uint64_t rows_offset;
  uint64_t labels;
  uint32_t file_version;
  uint32_t feature_version;
  uint32_t bucket_bits;
  uint32_t gram_min;
  uint32_t gram_max;
  uint32_t block_bytes;
  uint32_t groups;
  uint32_t columns;
  uint32_t shape_dims;
  uint32_t reserved;
  Columns scale;
  Columns bias;
  std::array<Columns, kShapeDims> shape;
  float domain_temperature;
  float tier_temperature;
  Platt jailbreak;
  Platt harmful;
  Platt difficulty;
  float jailbreak_threshold;
  float harmful_threshold;
};
static_assert(std::is_trivially_copyable_v<Header>);
static_assert(std::has_unique_object_representations_v<Platt> ||
              sizeof(Platt) == 2 * sizeof(float));
static_assert(sizeof(Header) == 8 + 4 * 8 + 10 * 4 + (2 + kShapeDims) * kColumns * 4 + 10 * 4);

constexpr size_t kChecksummedFrom = offsetof(Header, file_bytes);
constexpr size_t kRowsOffset = (sizeof(Header) + kAlignment - 1) / kAlignment * kAlignment;

size_t rows_bytes(uint32_t bucket_bits) { return (size_t{1} << bucket_bits) * kColumns; }

std::unexpected<Error> bad(std::string why) {
  return fail(ErrorCode::kCorrupt, "head weights: " + std::move(why));
}

Status check_shapes(const Header& h) {
  if (h.file_version != kFileVersion) {
    return bad(
        fmt::format("format version {}, this program reads {}", h.file_version, kFileVersion));
  }
  if (h.feature_version != kFeatureVersion) {
    return bad(fmt::format("trained for features of version {}, this program computes {}",
                           h.feature_version, kFeatureVersion));
  }
  if (h.labels != labels_hash()) return bad("trained for other labels");
  if (h.groups != kGroups || h.columns != kColumns || h.shape_dims != kShapeDims) {
    return bad(fmt::format("shape {} groups, {} columns, {} measures; expected {}, {}, {}",
                           h.groups, h.columns, h.shape_dims, kGroups, kColumns, kShapeDims));
  }
  if (h.bucket_bits < kBucketBitsMin || h.bucket_bits > kBucketBitsMax) {
    return bad(fmt::format("2^{} buckets", h.bucket_bits));
  }
  if (h.gram_min < 1 || h.gram_min > h.gram_max || h.gram_max > kGramMax) {
    return bad(fmt::format("n-grams of {} to {} characters", h.gram_min, h.gram_max));
  }
  if (h.block_bytes < kBlockBytesMin || h.block_bytes > kBlockBytesMax) {
    return bad(fmt::format("blocks of {} bytes", h.block_bytes));
  }
  return {};
}

bool all_finite(std::span<const float> values) {
  for (const float value : values) {
    if (!std::isfinite(value)) return false;
  }
  return true;
}

Status check_numbers(const HeadParameters& p) {
  if (!all_finite(p.scale) || !all_finite(p.bias)) return bad("a scale or bias is not a number");
  for (const Columns& row : p.shape) {
    if (!all_finite(row)) return bad("a weight is not a number");
  }
  for (const float temperature : {p.domain_temperature, p.tier_temperature}) {
    if (!(temperature > 0) || !std::isfinite(temperature)) {
      return bad(fmt::format("temperature {}", temperature));
    }
  }
  for (const Platt& platt : {p.jailbreak, p.harmful, p.difficulty}) {
    if (!(platt.slope > 0) || !std::isfinite(platt.slope) || !std::isfinite(platt.offset)) {
      return bad(fmt::format("calibration {} {}", platt.slope, platt.offset));
    }
  }
  for (const float threshold : {p.jailbreak_threshold, p.harmful_threshold}) {
    if (!(threshold >= 0 && threshold <= 1)) return bad(fmt::format("threshold {}", threshold));
  }
  return {};
}

}  // namespace

uint64_t labels_hash() {
  std::string all;
  for (const std::string_view label : kDomainLabels) all.append(label).push_back('\n');
  for (const std::string_view label : kTierLabels) all.append(label).push_back('\n');
  all += "jailbreak\nharmful\ndifficulty\n";
  return text::hash64(all);
}

uint64_t encoder_labels_hash() {
  std::string all = to_hex(labels_hash());
  for (const std::string_view label : kFeedbackLabels) all.append("\n").append(label);
  return text::hash64(all);
}

std::string encode_heads(const HeadParameters& p, std::span<const int8_t> rows) {
  VSR_CHECK(rows.size() == rows_bytes(p.features.bucket_bits));
  Header h{};
  std::ranges::copy(kMagic, h.magic.begin());
  h.file_bytes = kRowsOffset + rows.size();
  h.rows_offset = kRowsOffset;
  h.labels = labels_hash();
  h.file_version = kFileVersion;
  h.feature_version = kFeatureVersion;
  h.bucket_bits = p.features.bucket_bits;
  h.gram_min = p.features.gram_min;
  h.gram_max = p.features.gram_max;
  h.block_bytes = p.features.block_bytes;
  h.groups = kGroups;
  h.columns = kColumns;
  h.shape_dims = kShapeDims;
  h.scale = p.scale;
  h.bias = p.bias;
  h.shape = p.shape;
  h.domain_temperature = p.domain_temperature;
  h.tier_temperature = p.tier_temperature;
  h.jailbreak = p.jailbreak;
  h.harmful = p.harmful;
  h.difficulty = p.difficulty;
  h.jailbreak_threshold = p.jailbreak_threshold;
  h.harmful_threshold = p.harmful_threshold;
  std::string file(h.file_bytes, '\0');
  std::memcpy(file.data(), &h, sizeof h);
  std::memcpy(file.data() + kRowsOffset, rows.data(), rows.size());
  h.checksum = text::hash64(std::string_view(file).substr(kChecksummedFrom));
  std::memcpy(file.data() + offsetof(Header, checksum), &h.checksum, sizeof h.checksum);
  return file;
}

Result<HeadView> parse_heads(std::span<const uint8_t> bytes) {
  if (bytes.size() < sizeof(Header)) {
    return bad(fmt::format("{} bytes are too few for a header", bytes.size()));
  }
  Header h;
  std::memcpy(&h, bytes.data(), sizeof h);
  if (std::string_view(h.magic.data(), h.magic.size()) != kMagic) return bad("not a weight file");
  if (const Status shapes = check_shapes(h); !shapes) return std::unexpected(shapes.error());
  if (h.rows_offset != kRowsOffset || h.file_bytes != kRowsOffset + rows_bytes(h.bucket_bits)) {
    return bad("sizes in the header do not add up");
  }
  if (h.file_bytes != bytes.size()) {
    return bad(fmt::format("{} bytes, the header says {}", bytes.size(), h.file_bytes));
  }
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text::hash64(all.substr(kChecksummedFrom)) != h.checksum) {
    return bad("the checksum differs; the file is damaged");
  }
  HeadView view;
  HeadParameters& p = view.parameters;
  p.features = {h.bucket_bits, h.gram_min, h.gram_max, h.block_bytes};
  p.scale = h.scale;
  p.bias = h.bias;
  p.shape = h.shape;
  p.domain_temperature = h.domain_temperature;
  p.tier_temperature = h.tier_temperature;
  p.jailbreak = h.jailbreak;
  p.harmful = h.harmful;
  p.difficulty = h.difficulty;
  p.jailbreak_threshold = h.jailbreak_threshold;
  p.harmful_threshold = h.harmful_threshold;
  if (const Status numbers = check_numbers(p); !numbers) return std::unexpected(numbers.error());
  view.rows = {reinterpret_cast<const int8_t*>(bytes.data()) + kRowsOffset,
               rows_bytes(h.bucket_bits)};
  view.checksum = h.checksum;
  return view;
}

}  // namespace vsr::nn
