#include "nn/encoder_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "text/hash.h"

namespace vsr::nn {

namespace {

constexpr std::string_view kMagic{"VSRENC\0\2", 8};
constexpr std::string_view kTunedMagic{"VSRTUN\0\3", 8};
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

struct TunedHeader {
  char magic[8];
  uint64_t checksum;  // XXH3 of all bytes from `bytes` on
  uint64_t bytes;     // of the file
  uint64_t encoder;   // checksum of the encoder it stands on
  uint64_t lexical;   // checksum of the n-gram heads it is fused with
  uint64_t labels;    // hash of the labels
  uint32_t shared_layers;
  uint32_t layers;  // of each stack
  uint32_t columns;
  uint32_t window;
};

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
  EncoderLayer layer(uint32_t width, uint32_t inner) {
    EncoderLayer out;
    out.qkv = linear(width, 3 * width);
    out.attention_out = linear(width, width);
    out.attention_norm = norm(width);
    out.up = linear(width, inner);
    out.down = linear(inner, width);
    out.output_norm = norm(width);
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

// Whether the bytes are one whole file of this kind.
template <typename H>
Status read_header(std::string_view bytes, std::string_view magic, H& header) {
  if (bytes.size() < sizeof header || !bytes.starts_with(magic)) return corrupt("another file");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.bytes != bytes.size()) return corrupt("the file was cut");
  if (text::hash64(bytes.substr(kCheckedFrom)) != header.checksum) {
    return corrupt("the checksum does not fit");
  }
  return {};
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
  if (const Status whole = read_header(bytes, kMagic, header); !whole) {
    return std::unexpected(whole.error());
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
    out.layers.push_back(arrays.layer(header.width, header.inner));
  }
  if (!arrays.good() || !arrays.at_end()) return corrupt("the sizes do not add up");
  return out;
}

Result<TunedParameters> read_tuned(std::string_view bytes, const EncoderParameters& encoder) {
  TunedHeader header;
  if (const Status whole = read_header(bytes, kTunedMagic, header); !whole) {
    return std::unexpected(whole.error());
  }
  if (header.labels != encoder_labels_hash() || header.columns != kEncoderColumns) {
    return corrupt("tuned for other labels");
  }
  if (header.encoder != encoder.checksum) {
    return fail(ErrorCode::kInvalidArgument, "encoder weights: tuned for another encoder");
  }
  if (header.shared_layers > encoder.layers.size() || header.layers == 0 ||
      header.layers > kLayersMax || header.window < 8 || header.window > encoder.positions) {
    return corrupt("sizes that cannot be");
  }
  TunedParameters out;
  out.shared_layers = header.shared_layers;
  out.window = header.window;
  out.heads.checksum = header.checksum;
  out.heads.lexical = header.lexical;
  Arrays arrays(bytes, sizeof header);
  for (std::vector<EncoderLayer>* stack : {&out.layers, &out.safety_layers}) {
    for (uint32_t i = 0; i < header.layers && arrays.good(); ++i) {
      stack->push_back(arrays.layer(encoder.width, encoder.inner));
    }
  }
  out.head_weight = arrays.take<float>(uint64_t{kEncoderColumns} * encoder.width);
  out.head_bias = arrays.take<float>(kEncoderColumns);
  const auto copy = [&](EncoderColumns& to) {
    const std::span<const float> from = arrays.take<float>(kEncoderColumns);
    std::ranges::copy(from, to.begin());
  };
  Fusion& fusion = out.heads.fusion;
  copy(fusion.lexical);
  copy(fusion.encoder);
  copy(fusion.offset);
  const std::span<const float> numbers = arrays.take<float>(5);
  if (!arrays.good() || !arrays.at_end()) return corrupt("the sizes do not add up");
  fusion.jailbreak_threshold = numbers[0];
  fusion.harmful_threshold = numbers[1];
  fusion.per_doubling = numbers[2];
  fusion.foreign_slope = numbers[3];
  fusion.foreign_offset = numbers[4];
  return out;
}

}  // namespace vsr::nn
