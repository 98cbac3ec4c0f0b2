#include "nn/quantized_product.h"

namespace vsr::nn {

using dnnl::memory;

namespace {

constexpr size_t kRowsFine = 8;
constexpr size_t kRowsFineMax = 64;
constexpr size_t kRowsCoarse = 32;

size_t rows_of(size_t bucket) {
  constexpr size_t kFine = kRowsFineMax / kRowsFine;
  return bucket < kFine ? (bucket + 1) * kRowsFine
                        : kRowsFineMax + (bucket - kFine + 1) * kRowsCoarse;
}

memory::dim dim(size_t n) { return static_cast<memory::dim>(n); }

}  // namespace

size_t bucket_of(size_t rows) {
  return rows <= kRowsFineMax
             ? (rows + kRowsFine - 1) / kRowsFine - 1
             : kRowsFineMax / kRowsFine + (rows - kRowsFineMax + kRowsCoarse - 1) / kRowsCoarse - 1;
}

QuantizedProduct::QuantizedProduct(const QuantizedLinear& linear, const dnnl::engine& engine,
                                   size_t buckets)
    : linear_(linear), engine_(engine), compiled_(buckets) {
  const dnnl::matmul::primitive_desc typical = describe(kRowsCoarse, nullptr);
  weights_ = memory(typical.weights_desc(), engine_);
  memory plain(
      {{dim(linear.inputs), dim(linear.outputs)}, memory::data_type::s8, memory::format_tag::ba},
      engine_, const_cast<int8_t*>(linear.weight.data()));
  dnnl::stream stream(engine_);
  dnnl::reorder(plain, weights_).execute(stream, plain, weights_);
  stream.wait();
}

void QuantizedProduct::run(dnnl::stream& stream, size_t bucket, int8_t* in, float* out,
                           std::vector<uint8_t>& scratchpad) const {
  const Compiled& compiled = at(bucket);
  if (scratchpad.size() < compiled.scratchpad.get_size()) {
    scratchpad.resize(compiled.scratchpad.get_size());
  }
  memory source(compiled.source, engine_, in);
  memory target(compiled.target, engine_, out);
  memory scratch(compiled.scratchpad, engine_, scratchpad.data());
  compiled.primitive.execute(stream, {{DNNL_ARG_SRC, source},
                                      {DNNL_ARG_WEIGHTS, weights_},
                                      {DNNL_ARG_DST, target},
                                      {DNNL_ARG_SCRATCHPAD, scratch}});
  stream.wait();
}

dnnl::matmul::primitive_desc QuantizedProduct::describe(size_t rows,
                                                        const memory::desc* weights) const {
  const memory::desc source({dim(rows), dim(linear_.inputs)}, memory::data_type::s8,
                            memory::format_tag::ab);
  const memory::desc any({dim(linear_.inputs), dim(linear_.outputs)}, memory::data_type::s8,
                         memory::format_tag::any);
  const memory::desc target({dim(rows), dim(linear_.outputs)}, memory::data_type::f32,
                            memory::format_tag::ab);
  dnnl::primitive_attr attributes;
  constexpr int kPerColumn = 1 << 1;
  attributes.set_output_scales(kPerColumn, {linear_.scale.begin(), linear_.scale.end()});
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return {dnnl::matmul::desc(source, weights != nullptr ? *weights : any, target), attributes,
          engine_};
}

const QuantizedProduct::Compiled& QuantizedProduct::at(size_t bucket) const {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<const Compiled>& slot = compiled_[bucket];
  if (!slot) {
    const memory::desc weights = weights_.get_desc();
    const dnnl::matmul::primitive_desc pd = describe(rows_of(bucket), &weights);
    slot = std::make_unique<const Compiled>(
        Compiled{pd.src_desc(), pd.dst_desc(), pd.scratchpad_desc(), dnnl::matmul(pd)});
  }
  return *slot;
}

}  // namespace vsr::nn
