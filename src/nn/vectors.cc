#include "nn/vectors.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/check.h"
#include "text/hash.h"

namespace vsr::nn {

namespace {

// The file: magic, then records of a text's hash and its vector, then the hash of all before.
constexpr std::string_view kMagic{"VSRVEC\0\1", 8};

}  // namespace

float dot(std::span<const float> a, std::span<const float> b) {
#pragma clang fp reassociate(on)
  VSR_CHECK(a.size() == b.size(), "vectors of {} and {} floats", a.size(), b.size());
  float sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Vectors::Vectors(std::shared_ptr<const Encoder> encoder, std::string folder)
    : encoder_(std::move(encoder)), folder_(std::move(folder)) {}

uint64_t Vectors::encoded() const {
  const std::lock_guard lock(mutex_);
  return encoded_;
}

bool Vectors::find(std::string_view text, std::span<float> out) const {
  const uint64_t hash = text::hash64(text);
  Vector vector;
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = candidates_.find(hash); at != candidates_.end()) {
      vector = at->second;
    } else if (const Vector* known = prompts_.find(hash)) {
      vector = *known;
    }
  }
  if (!vector) return false;
  std::ranges::copy(*vector, out.begin());
  return true;
}

Status Vectors::encode(std::string_view text, std::span<float> out) {
  if (const Status done = encoder_->encode({&text, 1}, out); !done) return done;
  auto vector = std::make_shared<const std::vector<float>>(out.begin(), out.end());
  const std::lock_guard lock(mutex_);
  ++encoded_;
  prompts_.put(text::hash64(text), std::move(vector));
  return {};
}

bool Vectors::find_window(uint64_t hash, EncoderColumns& out) const {
  const std::lock_guard lock(mutex_);
  const EncoderColumns* const known = windows_.find(hash);
  if (known != nullptr) out = *known;
  return known != nullptr;
}

Status Vectors::read_window(std::string_view text, EncoderColumns& out) {
  const uint64_t hash = text::hash64(text);
  if (find_window(hash, out)) return {};
  if (const Status done = encoder_->read(text, out, {}); !done) return done;
  const std::lock_guard lock(mutex_);
  ++encoded_;
  windows_.put(hash, out);
  return {};
}

Status Vectors::read_both(std::string_view text) {
  EncoderColumns columns;
  auto vector = std::make_shared<std::vector<float>>(dims());
  if (const Status done = encoder_->read(text, columns, *vector); !done) return done;
  const uint64_t hash = text::hash64(text);
  const std::lock_guard lock(mutex_);
  ++encoded_;
  windows_.put(hash, columns);
  prompts_.put(hash, std::move(vector));
  return {};
}

Result<std::vector<float>> Vectors::candidates(std::span<const std::string> texts) {
  std::vector<float> out(texts.size() * dims());
  bool is_new = false;
  {
    const std::lock_guard lock(mutex_);
    if (!file_read_) read_file();
    file_read_ = true;
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::span<float> row = std::span(out).subspan(i * dims(), dims());
    const uint64_t hash = text::hash64(texts[i]);
    Vector known;
    {
      const std::lock_guard lock(mutex_);
      if (const auto at = candidates_.find(hash); at != candidates_.end()) known = at->second;
    }
    if (known) {
      std::copy(known->begin(), known->end(), row.begin());
      continue;
    }
    const std::string_view text = texts[i];
    if (const Status done = encoder_->encode({&text, 1}, row); !done) {
      return std::unexpected(done.error());
    }
    const std::lock_guard lock(mutex_);
    ++encoded_;
    if (candidates_.size() >= kCandidatesMax) candidates_.clear();
    candidates_.emplace(hash, std::make_shared<const std::vector<float>>(row.begin(), row.end()));
    is_new = true;
  }
  if (is_new) {
    const std::lock_guard lock(mutex_);
    write_file();
  }
  return out;
}

std::string Vectors::path() const {
  return fmt::format("{}/vectors-{}.bin", folder_, encoder_->version());
}

void Vectors::read_file() {
  if (folder_.empty()) return;
  std::ifstream in(path(), std::ios::binary);
  if (!in) return;
  const size_t record = sizeof(uint64_t) + dims() * sizeof(float);
  std::string bytes(std::istreambuf_iterator<char>(in), {});
  if (bytes.size() < kMagic.size() + sizeof(uint64_t) || !bytes.starts_with(kMagic)) return;
  const std::string_view whole = std::string_view(bytes).substr(0, bytes.size() - sizeof(uint64_t));
  uint64_t checksum = 0;
  std::memcpy(&checksum, bytes.data() + whole.size(), sizeof checksum);
  if (checksum != text::hash64(whole) || (whole.size() - kMagic.size()) % record != 0) return;
  for (size_t at = kMagic.size(); at < whole.size() && candidates_.size() < kCandidatesMax;
       at += record) {
    uint64_t hash = 0;
    std::memcpy(&hash, bytes.data() + at, sizeof hash);
    auto vector = std::make_shared<std::vector<float>>(dims());
    std::memcpy(vector->data(), bytes.data() + at + sizeof hash, dims() * sizeof(float));
    candidates_.emplace(hash, std::move(vector));
  }
}

// Whole or not at all: written beside it, then renamed.
void Vectors::write_file() {
  if (folder_.empty()) return;
  std::string bytes(kMagic);
  for (const auto& [hash, vector] : candidates_) {
    bytes.append(reinterpret_cast<const char*>(&hash), sizeof hash);
    bytes.append(reinterpret_cast<const char*>(vector->data()), vector->size() * sizeof(float));
  }
  const uint64_t checksum = text::hash64(bytes);
  bytes.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
  const std::string next = fmt::format("{}.{}", path(), ::getpid());
  std::ofstream out(next, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  std::error_code ignored;
  if (out) {
    std::filesystem::rename(next, path(), ignored);
  } else {
    std::filesystem::remove(next, ignored);
  }
}

}  // namespace vsr::nn
