#include "signals/name_model.h"

#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/embed.h"

VSR_EMBED(names, VSR_NAMES_FILE)

namespace vsr::signals {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr uint64_t kMagic = 0x31454D414E525356;  // "VSRNAME1"
constexpr uint32_t kRowBitsMin = 8;
constexpr uint32_t kRowBitsMax = 20;
constexpr uint32_t kLexiconBitsMax = 20;

struct Header {
  uint64_t magic;
  uint32_t row_bits;
  uint32_t lexicon_bits;
  float scale;
  uint32_t reserved;
  TagScores start;
  std::array<TagScores, kLanes> transition;
  TagScores bias;
  TagScores cjk_bias;
};
static_assert(sizeof(Header) % 8 == 0);

}  // namespace

uint8_t NameModel::flags_of(uint32_t word_hash) const {
  const auto mask = static_cast<uint32_t>(lexicon.size() - 1);
  for (uint32_t slot = lexicon_slot(word_hash) & mask; lexicon[slot] != 0;
       slot = (slot + 1) & mask) {
    if ((lexicon[slot] & 0xFFFFFF00U) == (word_hash & 0xFFFFFF00U)) {
      return static_cast<uint8_t>(lexicon[slot]);
    }
  }
  return 0;
}

std::string encode_names(const NameModel& model) {
  const Header header{kMagic,
                      model.row_bits,
                      static_cast<uint32_t>(std::countr_zero(model.lexicon.size())),
                      model.scale,
                      0,
                      model.start,
                      model.transition,
                      model.bias,
                      model.cjk_bias};
  std::string out(reinterpret_cast<const char*>(&header), sizeof(header));
  out.append(reinterpret_cast<const char*>(model.rows.data()), model.rows.size_bytes());
  out.append(reinterpret_cast<const char*>(model.lexicon.data()), model.lexicon.size_bytes());
  return out;
}

Result<NameModel> parse_names(std::string_view bytes) {
  const auto corrupt = [](const char* why) { return fail(ErrorCode::kCorrupt, why); };
  Header header;
  if (bytes.size() < sizeof(header)) return corrupt("name weights: cut short");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.magic != kMagic) return corrupt("name weights: not such a file");
  if (header.row_bits < kRowBitsMin || header.row_bits > kRowBitsMax ||
      header.lexicon_bits > kLexiconBitsMax) {
    return corrupt("name weights: bad size");
  }
  const size_t rows = (size_t{1} << header.row_bits) * kLanes;
  const size_t slots = size_t{1} << header.lexicon_bits;
  if (bytes.size() != sizeof(header) + rows + slots * sizeof(uint32_t)) {
    return corrupt("name weights: wrong length");
  }
  const char* const data = bytes.data() + sizeof(header);
  NameModel model{.row_bits = header.row_bits,
                  .scale = header.scale,
                  .start = header.start,
                  .transition = header.transition,
                  .bias = header.bias,
                  .cjk_bias = header.cjk_bias,
                  .rows = {reinterpret_cast<const int8_t*>(data), rows},
                  .lexicon = {reinterpret_cast<const uint32_t*>(data + rows), slots}};
  size_t empty = 0;
  for (const uint32_t entry : model.lexicon) empty += entry == 0 ? 1 : 0;
  if (empty == 0) return corrupt("name weights: the word list has no free slot");
  return model;
}

const NameModel& shipped_names() {
  static const NameModel model = [] {
    Result<NameModel> parsed = parse_names(vsr_embedded_names());
    VSR_CHECK(parsed.has_value());
    return *parsed;
  }();
  return model;
}

}  // namespace vsr::signals
