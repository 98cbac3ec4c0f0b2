#pragma once

// A product of int8 rows and int8 weights on oneDNN, compiled per number of rows when that is first
// needed. Thread-safe. Only for the encoder: oneDNN stays out of other headers.

#include <cstdint>
#include <dnnl.hpp>
#include <memory>
#include <mutex>
#include <vector>

#include "nn/encoder_file.h"

namespace vsr::nn {

// Rows are rounded up, so that a few compiled shapes, the buckets, serve every length.
size_t bucket_of(size_t rows);

class QuantizedProduct {
 public:
  // `engine` outlives the product; `buckets` is one more than the largest that run() will get.
  QuantizedProduct(const QuantizedLinear& linear, const dnnl::engine& engine, size_t buckets);

  // in: the bucket's rows × inputs; out: rows × outputs, times the scale of each output channel.
  // `scratchpad` grows as needed.
  void run(dnnl::stream& stream, size_t bucket, int8_t* in, float* out,
           std::vector<uint8_t>& scratchpad) const;
  const QuantizedLinear& linear() const { return linear_; }

 private:
  struct Compiled {
    dnnl::memory::desc source;
    dnnl::memory::desc target;
    dnnl::memory::desc scratchpad;
    dnnl::matmul primitive;
  };

  dnnl::matmul::primitive_desc describe(size_t rows, const dnnl::memory::desc* weights) const;
  const Compiled& at(size_t bucket) const;

  const QuantizedLinear linear_;
  const dnnl::engine& engine_;
  dnnl::memory weights_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<const Compiled>> compiled_;
};

}  // namespace vsr::nn
