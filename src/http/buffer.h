#pragma once

// Memory for bodies and sockets. Bytes is a block that is not zeroed; ReadBuffer holds what came
// from a socket and was not used yet. Neither is thread-safe.

#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace vsr::http {

class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(size_t capacity)
      : data_(std::make_unique_for_overwrite<char[]>(capacity)), capacity_(capacity) {}

  std::string_view view() const { return {data_.get(), size_}; }
  size_t size() const { return size_; }
  std::span<char> room() { return {data_.get() + size_, capacity_ - size_}; }
  void grew(size_t bytes) { size_ += bytes; }
  // Makes room for at least `bytes` more.
  void reserve_more(size_t bytes) {
    if (capacity_ - size_ >= bytes) return;
    Bytes larger(std::max(capacity_ * 2, size_ + bytes));
    std::memcpy(larger.data_.get(), data_.get(), size_);
    larger.size_ = size_;
    *this = std::move(larger);
  }
  void append(std::string_view bytes) {
    reserve_more(bytes.size());
    std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }

 private:
  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

class ReadBuffer {
 public:
  static constexpr size_t kFirstBytes = 4 * 1024;

  std::string_view unread() const { return {data_.get() + start_, end_ - start_}; }
  bool empty() const { return start_ == end_; }
  void consume(size_t bytes) {
    start_ += bytes;
    if (start_ == end_) start_ = end_ = 0;
  }
  // Room of at least `bytes` behind what is unread; may move it, so views die.
  std::span<char> room(size_t bytes) {
    if (capacity_ - end_ < bytes) make_room(bytes);
    return {data_.get() + end_, capacity_ - end_};
  }
  void grew(size_t bytes) { end_ += bytes; }
  // Gives the memory back while nothing is unread, so that an idle connection costs none.
  void release_if_empty() {
    if (!empty()) return;
    data_.reset();
    capacity_ = start_ = end_ = 0;
  }

 private:
  void make_room(size_t bytes) {
    const size_t used = end_ - start_;
    if (capacity_ - used >= bytes && capacity_ > 0) {
      std::memmove(data_.get(), data_.get() + start_, used);
    } else {
      const size_t capacity = std::max({kFirstBytes, capacity_ * 2, used + bytes});
      auto larger = std::make_unique_for_overwrite<char[]>(capacity);
      if (used > 0) std::memcpy(larger.get(), data_.get() + start_, used);
      data_ = std::move(larger);
      capacity_ = capacity;
    }
    start_ = 0;
    end_ = used;
  }

  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
  size_t start_ = 0;
  size_t end_ = 0;
};

}  // namespace vsr::http
