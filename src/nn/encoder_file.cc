#include "nn/encoder_file.h"

#include <cmath>
#include <cstring>

#include "text/hash.h"

namespace vsr::nn {

namespace {

constexpr std::string_view kMagic{"VSRENC\0\2", 8};
constexpr size_t kAlignment = 64;
constexpr uint32_t kLayersMax = 48;
constexpr uint32_t kWidthMax = 4096;
constexpr uint32_t kVocabularyMax = 1U << 20;

struct Header {
  char magic[8];
  uint64_t checksum;  // XXH3 of all bytes from `bytes` on
  uint64_t bytes;     // of the file
  uint32_t vocabulary;
  uint32_t width;
  uint32_t heads;
  uint32_t inner;
  uint32_t positions;
  uint32_t layers;
  float similarity_slope;
  float similarity_offset;
  uint64_t vocabulary_bytes;
};
constexpr size_t kCheckedFrom = 16;

// Takes one array after the other; after one that is not there all are empty.
class Arrays {
 public:
  Arrays(std::string_view bytes, size_t at) : bytes_(bytes), at_(at) {}

  template <typename T>
  std::span<const T> take(uint64_t count) {
    at_ = (at_ + kAlignment - 1) / kAlignment * kAlignment;
    if (!good_ || at_ > bytes_.size() || count > (bytes_.size() - at_) / sizeof(T)) {
      good_ = false;
      return {};
    }
    const T* const first = reinterpret_cast<const T*>(bytes_.data() + at_);
    at_ += count * sizeof(T);
    return {first, count};
  }
  QuantizedLinear linear(uint32_t inputs, uint32_t outputs) {
    QuantizedLinear out{inputs, outputs, {}, {}, {}};
    out.weight = take<int8_t>(uint64_t{inputs} * outputs);
    out.scale = take<float>(outputs);
    out.bias = take<float>(outputs);
    return out;
  }
  LayerNorm norm(uint32_t width) {
    LayerNorm out;
    out.gain = take<float>(width);
    out.bias = take<float>(width);
    return out;
  }
  bool good() const { return good_; }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  std::string_view bytes_;
  size_t at_;
  bool good_ = true;
};

std::unexpected<Error> corrupt(std::string what) {
  return fail(ErrorCode::kCorrupt, "encoder weights: " + std::move(what));
}

bool is_sane(const Header& h) {
  return h.vocabulary > 0 && h.vocabulary <= kVocabularyMax && h.width > 0 &&
         h.width <= kWidthMax && h.heads > 0 && h.width % h.heads == 0 && h.inner > 0 &&
         h.inner <= 4 * kWidthMax && h.positions >= 8 && h.positions <= 8192 && h.layers > 0 &&
         h.layers <= kLayersMax && std::isfinite(h.similarity_slope) &&
         std::isfinite(h.similarity_offset);
}

}  // namespace

Result<EncoderParameters> read_encoder(std::string_view bytes) {
  Header header;
  if (bytes.size() < sizeof header || !bytes.starts_with(kMagic)) {
    return corrupt("not a weight file");
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.bytes != bytes.size()) return corrupt("the file was cut");
  if (text::hash64(bytes.substr(kCheckedFrom)) != header.checksum) {
    return corrupt("the checksum does not fit");
  }
  if (!is_sane(header)) return corrupt("sizes that cannot be");
  EncoderParameters out;
  out.width = header.width;
  out.heads = header.heads;
  out.inner = header.inner;
  out.positions = header.positions;
  out.checksum = header.checksum;
  out.similarity = {header.similarity_slope, header.similarity_offset};
  Arrays arrays(bytes, sizeof header);
  const std::span<const uint32_t> ends = arrays.take<uint32_t>(header.vocabulary);
  const std::span<const char> letters = arrays.take<char>(header.vocabulary_bytes);
  uint32_t begin = 0;
  for (const uint32_t end : ends) {
    if (end < begin || end > letters.size()) return corrupt("a token outside the vocabulary");
    out.vocabulary.emplace_back(letters.data() + begin, end - begin);
    begin = end;
  }
  out.words = arrays.take<int8_t>(uint64_t{header.vocabulary} * header.width);
  out.words_scale = arrays.take<float>(header.vocabulary);
  out.places = arrays.take<float>(uint64_t{header.positions} * header.width);
  out.input_norm = arrays.norm(header.width);
  for (uint32_t i = 0; i < header.layers && arrays.good(); ++i) {
    EncoderLayer& layer = out.layers.emplace_back();
    layer.qkv = arrays.linear(header.width, 3 * header.width);
    layer.attention_out = arrays.linear(header.width, header.width);
    layer.attention_norm = arrays.norm(header.width);
    layer.up = arrays.linear(header.width, header.inner);
    layer.down = arrays.linear(header.inner, header.width);
    layer.output_norm = arrays.norm(header.width);
  }
  if (!arrays.good() || !arrays.at_end()) return corrupt("the sizes do not add up");
  return out;
}

}  // namespace vsr::nn
