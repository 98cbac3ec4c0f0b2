#pragma once

// Bump memory for views that live as long as one request: nothing is freed singly, reset() keeps
// the first block. Not thread-safe; everything handed out dies with reset() or the arena. It grows
// with the text put in, which the body limit of the caller bounds.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vsr::json {

class Arena {
 public:
  explicit Arena(size_t first_block_bytes = 4096) : first_block_bytes_(first_block_bytes) {}
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  char* allocate(size_t bytes, size_t alignment = alignof(std::max_align_t));
  // Gives back the end of the newest allocation.
  void shrink_last(char* start, size_t from_bytes, size_t to_bytes);
  std::string_view copy(std::string_view text);

  template <typename T>
  std::span<T> array(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    T* const data = reinterpret_cast<T*>(allocate(count * sizeof(T), alignof(T)));
    for (size_t i = 0; i < count; ++i) new (data + i) T();
    return {data, count};
  }

  void reset();
  // Calls to the heap since construction, for tests and benchmarks.
  size_t blocks_allocated() const { return blocks_allocated_; }

 private:
  struct Block {
    std::unique_ptr<char[]> data;
    size_t size = 0;
  };
  size_t first_block_bytes_;
  std::vector<Block> blocks_;
  char* next_ = nullptr;
  char* end_ = nullptr;
  size_t blocks_allocated_ = 0;
};

// A list of plain values that grows inside an arena.
template <typename T>
class ArenaList {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit ArenaList(Arena& arena) : arena_(&arena) {}

  T& push_back(const T& value) {
    if (size_ == capacity_) grow();
    return *new (data_ + size_++) T(value);
  }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& back() { return data_[size_ - 1]; }
  T& operator[](size_t i) { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  std::span<T> span() { return {data_, size_}; }

 private:
  static constexpr size_t kFirstCapacity = 8;

  void grow() {
    const size_t capacity = capacity_ == 0 ? kFirstCapacity : capacity_ * 2;
    T* const data = reinterpret_cast<T*>(arena_->allocate(capacity * sizeof(T), alignof(T)));
    if (size_ > 0) std::memcpy(static_cast<void*>(data), data_, size_ * sizeof(T));
    data_ = data;
    capacity_ = capacity;
  }

  Arena* arena_;
  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace vsr::json
