#pragma once

// Memory for bodies and sockets, not zeroed and recycled per thread. Bytes is a block that grows;
// ReadBuffer holds what came from a socket and was not used yet. Neither is thread-safe.

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace vsr::http {

// Bytes of a large body that share one write deadline.
constexpr size_t kWriteSliceBytes = 1UL << 20;

namespace internal {
// A block of at least `bytes`; `bytes` becomes what it really holds. Blocks of up to
// kBlockBytesMax are kept for reuse, kBytesKeptMax in all and per thread.
char* take_block(size_t& bytes);
void give_block(char* block, size_t bytes) noexcept;
constexpr size_t kBlockBytesMin = 4UL << 10;
constexpr size_t kBlockBytesMax = 1UL << 20;
constexpr size_t kBytesKeptMax = 8UL << 20;
}  // namespace internal

// A block that is returned when it goes.
class Block {
 public:
  Block() = default;
  explicit Block(size_t bytes) : size_(bytes) { data_ = internal::take_block(size_); }
  Block(Block&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Block& operator=(Block&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Block() {
    if (data_ != nullptr) internal::give_block(data_, size_);
  }
  char* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
};

class Bytes {
 public:
  // Readable bytes behind the content, for parsers that read in wide steps.
  static constexpr size_t kPadding = 64;

  Bytes() = default;
  explicit Bytes(size_t capacity) : block_(capacity + kPadding) {}
  Bytes(Bytes&& other) noexcept
      : block_(std::move(other.block_)), size_(std::exchange(other.size_, 0)) {}
  Bytes& operator=(Bytes&& other) noexcept {
    block_ = std::move(other.block_);
    std::swap(size_, other.size_);
    return *this;
  }

  std::string_view view() const { return {block_.data(), size_}; }
  size_t size() const { return size_; }
  std::span<char> room() { return {block_.data() + size_, capacity() - size_}; }
  void grew(size_t bytes) { size_ += bytes; }
  // Makes room for at least `bytes` more.
  void reserve_more(size_t bytes) {
    if (capacity() - size_ >= bytes) return;
    Block larger(std::max(capacity() * 2, size_ + bytes) + kPadding);
    if (size_ > 0) std::memcpy(larger.data(), block_.data(), size_);
    block_ = std::move(larger);
  }
  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    reserve_more(bytes.size());
    std::memcpy(block_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }

 private:
  size_t capacity() const { return block_.size() < kPadding ? 0 : block_.size() - kPadding; }
  Block block_;
  size_t size_ = 0;
};

class ReadBuffer {
 public:
  std::string_view unread() const { return {block_.data() + start_, end_ - start_}; }
  bool empty() const { return start_ == end_; }
  void consume(size_t bytes) {
    start_ += bytes;
    if (start_ == end_) start_ = end_ = 0;
  }
  // Room of at least `bytes` behind what is unread; may move it, so views die.
  std::span<char> room(size_t bytes) {
    if (block_.size() - end_ < bytes) make_room(bytes);
    return {block_.data() + end_, block_.size() - end_};
  }
  void grew(size_t bytes) { end_ += bytes; }
  // Gives the memory back while nothing is unread, so that an idle connection costs none.
  void release_if_empty() {
    if (empty()) block_ = Block();
  }

 private:
  void make_room(size_t bytes) {
    const size_t used = end_ - start_;
    if (block_.size() - used >= bytes && used <= block_.size() / 2) {
      std::memmove(block_.data(), block_.data() + start_, used);
    } else {
      Block larger(std::max(used * 2, used + bytes));
      if (used > 0) std::memcpy(larger.data(), block_.data() + start_, used);
      block_ = std::move(larger);
    }
    start_ = 0;
    end_ = used;
  }

  Block block_;
  size_t start_ = 0;
  size_t end_ = 0;
};

}  // namespace vsr::http
