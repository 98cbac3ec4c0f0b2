#include "nn/sentence_encoder.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

#include "base/check.h"
#include "base/id.h"
#include "nn/attention.h"
#include "nn/encoder_file.h"
#include "nn/quantized_product.h"
#include "nn/vector_math.h"
#include "nn/vectors.h"
#include "text/wordpiece.h"

// Of the OpenMP library that oneDNN runs on.
extern "C" void omp_set_num_threads(int count);

namespace vsr::nn {

namespace {

struct Layer {
  Layer(const EncoderLayer& of, const dnnl::engine& engine, size_t buckets)
      : qkv(of.qkv, engine, buckets),
        attention_out(of.attention_out, engine, buckets),
        up(of.up, engine, buckets),
        down(of.down, engine, buckets),
        attention_norm(of.attention_norm),
        output_norm(of.output_norm) {}
  QuantizedProduct qkv;
  QuantizedProduct attention_out;
  QuantizedProduct up;
  QuantizedProduct down;
  LayerNorm attention_norm;
  LayerNorm output_norm;
};

// Memory of one call.
struct Workspace {
  Workspace(const dnnl::engine& engine, const EncoderParameters& p)
      : stream(engine),
        hidden(p.positions * p.width),
        quantized(p.positions * p.inner),
        row_scale(p.positions),
        wide(p.positions * std::max(3 * p.width, p.inner)),
        context(p.positions * p.width) {}
  dnnl::stream stream;
  std::vector<float> hidden;  // tokens × width
  std::vector<int8_t> quantized;
  std::vector<float> row_scale;
  std::vector<float> wide;  // result of a product
  std::vector<float> context;
  AttentionScratch attention;
  std::vector<uint8_t> scratchpad;
  std::vector<uint32_t> ids;
  std::vector<uint32_t> window;
  std::vector<float> shared;  // hidden after the shared layers
  std::vector<float> sum;     // over tokens
};

}  // namespace

class SentenceEncoder::Network {
 public:
  Network(MappedFile file, EncoderParameters parameters, std::optional<MappedFile> tuned_file,
          std::optional<TunedParameters> tuned, text::WordPiece tokenizer)
      : file_(std::move(file)),
        tuned_file_(std::move(tuned_file)),
        p_(std::move(parameters)),
        tuned_(std::move(tuned)),
        tokenizer_(std::move(tokenizer)),
        version_(to_hex(p_.checksum)),
        engine_(dnnl::engine::kind::cpu, 0) {
    omp_set_num_threads(1);  // counts for the calling thread
    const size_t buckets = bucket_of(p_.positions) + 1;
    for (const EncoderLayer& layer : p_.layers) {
      layers_.push_back(std::make_unique<const Layer>(layer, engine_, buckets));
    }
    if (!tuned_) return;
    for (const EncoderLayer& layer : tuned_->safety_layers) {
      safety_layers_.push_back(std::make_unique<const Layer>(layer, engine_, buckets));
    }
    for (const EncoderLayer& layer : tuned_->layers) {
      tuned_layers_.push_back(std::make_unique<const Layer>(layer, engine_, buckets));
    }
  }

  const EncoderParameters& parameters() const { return p_; }
  const TunedHeads* heads() const { return tuned_ ? &tuned_->heads : nullptr; }
  const text::WordPiece& tokenizer() const { return tokenizer_; }
  const std::string& version() const { return version_; }

  // Writes the vector of one text.
  void encode(std::string_view text, float* out) const;
  // Writes what the heads say of the first window of a text, and the vector of the text if asked.
  void read(std::string_view text, EncoderColumns& columns, float* vector) const;
  void hidden(std::string_view text, size_t layers, size_t window, std::vector<float>& out) const;

 private:
  using Layers = std::vector<std::unique_ptr<const Layer>>;
  // `ids` between [CLS] and [SEP], into `w.window`.
  void open_window(std::span<const uint32_t> ids, Workspace& w) const;
  // What follows works on the tokens of `w.window` and leaves their vectors in `w.hidden`.
  void run_layers(std::span<const std::unique_ptr<const Layer>> layers, Workspace& w) const;
  void add_tokens(Workspace& w) const;  // to `w.sum`
  void write_vector(const Workspace& w, float* out) const;
  std::span<const float> weight_of(size_t column) const;
  void write_columns(const Workspace& w, EncoderColumns& columns) const;
  void write_safety(const Workspace& w, EncoderColumns& columns) const;
  void embed(std::span<const uint32_t> ids, Workspace& w) const;
  void attend(size_t tokens, Workspace& w) const;
  void quantize(const float* rows, size_t tokens, size_t width, Workspace& w) const;
  // hidden = norm(hidden + product of what is quantized).
  void add_and_norm(const QuantizedProduct& product, const LayerNorm& norm, size_t tokens,
                    Workspace& w) const;
  std::unique_ptr<Workspace> take() const;
  void give_back(std::unique_ptr<Workspace> workspace) const;

  const MappedFile file_;
  const std::optional<MappedFile> tuned_file_;
  const EncoderParameters p_;
  const std::optional<TunedParameters> tuned_;
  const text::WordPiece tokenizer_;
  const std::string version_;
  const dnnl::engine engine_;
  Layers layers_;
  Layers tuned_layers_;
  Layers safety_layers_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> spare_;
};

std::unique_ptr<Workspace> SentenceEncoder::Network::take() const {
  {
    const std::lock_guard lock(mutex_);
    if (!spare_.empty()) {
      std::unique_ptr<Workspace> out = std::move(spare_.back());
      spare_.pop_back();
      return out;
    }
  }
  return std::make_unique<Workspace>(engine_, p_);
}

void SentenceEncoder::Network::give_back(std::unique_ptr<Workspace> workspace) const {
  const std::lock_guard lock(mutex_);
  if (spare_.size() < kWorkspacesKept) spare_.push_back(std::move(workspace));
}

void SentenceEncoder::Network::embed(std::span<const uint32_t> ids, Workspace& w) const {
  for (size_t t = 0; t < ids.size(); ++t) {
    const int8_t* const word = p_.words.data() + size_t{ids[t]} * p_.width;
    const float scale = p_.words_scale[ids[t]];
    const float* const place = p_.places.data() + t * p_.width;
    float* const row = w.hidden.data() + t * p_.width;
    for (size_t i = 0; i < p_.width; ++i) row[i] = scale * static_cast<float>(word[i]) + place[i];
    layer_norm(row, p_.input_norm.gain, p_.input_norm.bias);
  }
}

void SentenceEncoder::Network::quantize(const float* rows, size_t tokens, size_t width,
                                        Workspace& w) const {
  for (size_t t = 0; t < tokens; ++t) {
    w.row_scale[t] = quantize_row(rows + t * width, width, w.quantized.data() + t * width);
  }
}

// All heads, from `wide` into `context`.
void SentenceEncoder::Network::attend(size_t tokens, Workspace& w) const {
  const size_t head_width = p_.width / p_.heads;
  for (size_t h = 0; h < p_.heads; ++h) {
    const float* const queries = w.wide.data() + h * head_width;
    const HeadRows head{queries, queries + p_.width, queries + 2 * p_.width, 3 * p_.width,
                        tokens,  head_width};
    nn::attend(head, w.context.data() + h * head_width, p_.width, w.attention);
  }
}

void SentenceEncoder::Network::add_and_norm(const QuantizedProduct& product, const LayerNorm& norm,
                                            size_t tokens, Workspace& w) const {
  product.run(w.stream, bucket_of(tokens), w.quantized.data(), w.wide.data(), w.scratchpad);
  const float* const bias = product.linear().bias.data();
  for (size_t t = 0; t < tokens; ++t) {
    const float* const from = w.wide.data() + t * p_.width;
    float* const row = w.hidden.data() + t * p_.width;
    for (size_t i = 0; i < p_.width; ++i) row[i] += w.row_scale[t] * from[i] + bias[i];
    layer_norm(row, norm.gain, norm.bias);
  }
}

void SentenceEncoder::Network::run_layers(std::span<const std::unique_ptr<const Layer>> layers,
                                          Workspace& w) const {
  const size_t tokens = w.window.size();
  const size_t bucket = bucket_of(tokens);
  for (const std::unique_ptr<const Layer>& layer : layers) {
    quantize(w.hidden.data(), tokens, p_.width, w);
    layer->qkv.run(w.stream, bucket, w.quantized.data(), w.wide.data(), w.scratchpad);
    for (size_t t = 0; t < tokens; ++t) {
      scale_row(w.wide.data() + t * 3 * p_.width, w.row_scale[t], layer->qkv.linear().bias);
    }
    attend(tokens, w);
    quantize(w.context.data(), tokens, p_.width, w);
    add_and_norm(layer->attention_out, layer->attention_norm, tokens, w);

    quantize(w.hidden.data(), tokens, p_.width, w);
    layer->up.run(w.stream, bucket, w.quantized.data(), w.wide.data(), w.scratchpad);
    for (size_t t = 0; t < tokens; ++t) {
      gelu_row(w.wide.data() + t * p_.inner, w.row_scale[t], layer->up.linear().bias);
    }
    quantize(w.wide.data(), tokens, p_.inner, w);
    add_and_norm(layer->down, layer->output_norm, tokens, w);
  }
}

void SentenceEncoder::Network::open_window(std::span<const uint32_t> ids, Workspace& w) const {
  w.window.assign(1, tokenizer_.cls());
  w.window.insert(w.window.end(), ids.begin(), ids.end());
  w.window.push_back(tokenizer_.sep());
}

void SentenceEncoder::Network::add_tokens(Workspace& w) const {
  for (size_t t = 0; t < w.window.size(); ++t) {
    const float* const row = w.hidden.data() + t * p_.width;
    for (size_t i = 0; i < p_.width; ++i) w.sum[i] += row[i];
  }
}

void SentenceEncoder::Network::write_vector(const Workspace& w, float* out) const {
  const float squares = std::inner_product(w.sum.begin(), w.sum.end(), w.sum.begin(), 0.0F);
  const float by = squares > 0 ? 1 / std::sqrt(squares) : 0;
  for (size_t i = 0; i < p_.width; ++i) out[i] = w.sum[i] * by;
}

std::span<const float> SentenceEncoder::Network::weight_of(size_t column) const {
  return tuned_->head_weight.subspan(column * p_.width, p_.width);
}

// All but safety.
void SentenceEncoder::Network::write_columns(const Workspace& w, EncoderColumns& columns) const {
  const float by = 1 / static_cast<float>(w.window.size());
  for (size_t c = 0; c < columns.size(); ++c) {
    columns[c] = by * dot(w.sum, weight_of(c)) + tuned_->head_bias[c];
  }
}

// The logarithm of the mean of e^z over the tokens: a few that look bad tell more than the many
// around them that do not.
void SentenceEncoder::Network::write_safety(const Workspace& w, EncoderColumns& columns) const {
  for (const size_t c : {kJailbreakColumn, kHarmfulColumn}) {
    float top = -INFINITY;
    float total = 0;  // of e^(z - top)
    for (size_t t = 0; t < w.window.size(); ++t) {
      const float z = dot(std::span(w.hidden).subspan(t * p_.width, p_.width), weight_of(c));
      if (z > top) total *= std::exp(top - z);
      top = std::max(top, z);
      total += std::exp(z - top);
    }
    columns[c] = top + std::log(total / static_cast<float>(w.window.size())) + tuned_->head_bias[c];
  }
}

void SentenceEncoder::Network::encode(std::string_view text, float* out) const {
  omp_set_num_threads(1);  // counts for the calling thread
  std::unique_ptr<Workspace> w = take();
  const size_t room = p_.positions - 2;
  const size_t step = room - kWindowOverlap;
  w->ids.clear();
  tokenizer_.encode(text, w->ids, room + step * (kWindowsMax - 1));
  w->sum.assign(p_.width, 0);
  for (size_t n = 0, begin = 0; n < kWindowsMax; ++n, begin += step) {
    const size_t end = std::min(w->ids.size(), begin + room);
    open_window(std::span(w->ids).subspan(begin, end - begin), *w);
    embed(w->window, *w);
    run_layers(layers_, *w);
    add_tokens(*w);
    if (end == w->ids.size()) break;
  }
  write_vector(*w, out);
  give_back(std::move(w));
}

void SentenceEncoder::Network::hidden(std::string_view text, size_t layers, size_t window,
                                      std::vector<float>& out) const {
  omp_set_num_threads(1);
  std::unique_ptr<Workspace> w = take();
  w->ids.clear();
  tokenizer_.encode(text, w->ids, window - 2);
  open_window(std::span(w->ids).first(std::min(window - 2, w->ids.size())), *w);
  embed(w->window, *w);
  run_layers(std::span(layers_).first(layers), *w);
  const size_t floats = w->window.size() * p_.width;
  out.assign(w->hidden.begin(), w->hidden.begin() + static_cast<std::ptrdiff_t>(floats));
  give_back(std::move(w));
}

void SentenceEncoder::Network::read(std::string_view text, EncoderColumns& columns,
                                    float* vector) const {
  omp_set_num_threads(1);
  std::unique_ptr<Workspace> w = take();
  const size_t room = tuned_->window - 2;
  w->ids.clear();
  tokenizer_.encode(text, w->ids, room + 1);
  const bool is_whole = w->ids.size() <= room;
  open_window(std::span(w->ids).first(std::min(room, w->ids.size())), *w);
  embed(w->window, *w);
  const std::span<const std::unique_ptr<const Layer>> all(layers_);
  run_layers(all.first(tuned_->shared_layers), *w);
  const auto shared_end = static_cast<std::ptrdiff_t>(w->window.size() * p_.width);
  w->shared.assign(w->hidden.begin(), w->hidden.begin() + shared_end);
  run_layers(tuned_layers_, *w);
  w->sum.assign(p_.width, 0);
  add_tokens(*w);
  write_columns(*w, columns);
  std::ranges::copy(w->shared, w->hidden.begin());
  run_layers(safety_layers_, *w);
  write_safety(*w, columns);
  if (vector != nullptr && is_whole) {
    std::ranges::copy(w->shared, w->hidden.begin());
    run_layers(all.subspan(tuned_->shared_layers), *w);
    w->sum.assign(p_.width, 0);
    add_tokens(*w);
    write_vector(*w, vector);
  }
  give_back(std::move(w));
  if (vector != nullptr && !is_whole) encode(text, vector);
}

// ---- SentenceEncoder ----------------------------------------------------------------------------

SentenceEncoder::SentenceEncoder(std::unique_ptr<const Network> network)
    : network_(std::move(network)) {}
SentenceEncoder::~SentenceEncoder() = default;

Result<std::shared_ptr<const SentenceEncoder>> SentenceEncoder::make(
    MappedFile file, std::optional<MappedFile> tuned_file) {
  Result<EncoderParameters> parameters = read_encoder(file.view());
  if (!parameters) return std::unexpected(parameters.error());
  if (parameters->positions <= kWindowOverlap + 2) {
    return fail(ErrorCode::kCorrupt, "encoder weights: the window is too short");
  }
  std::optional<TunedParameters> tuned;
  if (tuned_file) {
    Result<TunedParameters> read = read_tuned(tuned_file->view(), *parameters);
    if (!read) return std::unexpected(read.error());
    tuned = std::move(*read);
  }
  Result<text::WordPiece> tokenizer = text::WordPiece::make(parameters->vocabulary);
  if (!tokenizer) return std::unexpected(tokenizer.error());
  try {
    return std::shared_ptr<const SentenceEncoder>(
        new SentenceEncoder(std::make_unique<const Network>(std::move(file), std::move(*parameters),
                                                            std::move(tuned_file), std::move(tuned),
                                                            std::move(*tokenizer))));
  } catch (const dnnl::error& error) {
    return fail(ErrorCode::kUnsupported,
                std::string("the encoder cannot run on this processor: ") + error.what());
  }
}

Result<std::shared_ptr<const SentenceEncoder>> SentenceEncoder::load(
    const std::string& path, const std::string& tuned_path) {
  Result<MappedFile> file = MappedFile::open(path, "encoder weights");
  if (!file) return std::unexpected(file.error());
  std::optional<MappedFile> tuned;
  if (!tuned_path.empty()) {
    Result<MappedFile> opened = MappedFile::open(tuned_path, "weights of the tuned layers");
    if (!opened) return std::unexpected(opened.error());
    tuned = std::move(*opened);
  }
  auto encoder = make(std::move(*file), std::move(tuned));
  if (!encoder) encoder.error().message += " (" + path + ")";
  return encoder;
}

size_t SentenceEncoder::dims() const { return network_->parameters().width; }
std::string_view SentenceEncoder::version() const { return network_->version(); }

const TunedHeads* SentenceEncoder::heads() const { return network_->heads(); }

SimilarityCurve SentenceEncoder::similarity_curve() const {
  return network_->parameters().similarity;
}

size_t SentenceEncoder::count_tokens(std::string_view text) const {
  std::vector<uint32_t> ids;
  network_->tokenizer().encode(text, ids);
  return ids.size() + 2;
}

Status SentenceEncoder::encode(std::span<const std::string_view> texts,
                               std::span<float> out) const {
  VSR_CHECK(out.size() == texts.size() * dims(), "{} floats for {} texts", out.size(),
            texts.size());
  try {
    for (size_t i = 0; i < texts.size(); ++i) {
      network_->encode(texts[i], out.data() + i * dims());
    }
  } catch (const dnnl::error& error) {
    return fail(ErrorCode::kInternal, std::string("the encoder failed: ") + error.what());
  }
  return {};
}

Status SentenceEncoder::hidden(std::string_view text, size_t layers, size_t window,
                               std::vector<float>& out) const {
  const EncoderParameters& p = network_->parameters();
  VSR_CHECK(layers <= p.layers.size() && window >= 2 && window <= p.positions);
  try {
    network_->hidden(text, layers, window, out);
  } catch (const dnnl::error& error) {
    return fail(ErrorCode::kInternal, std::string("the encoder failed: ") + error.what());
  }
  return {};
}

Status SentenceEncoder::read(std::string_view text, EncoderColumns& columns,
                             std::span<float> vector) const {
  VSR_CHECK(heads() != nullptr && (vector.empty() || vector.size() == dims()));
  try {
    network_->read(text, columns, vector.empty() ? nullptr : vector.data());
  } catch (const dnnl::error& error) {
    return fail(ErrorCode::kInternal, std::string("the encoder failed: ") + error.what());
  }
  return {};
}

}  // namespace vsr::nn
