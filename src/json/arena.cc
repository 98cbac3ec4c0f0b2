#include "json/arena.h"

#include <algorithm>

namespace vsr::json {

char* Arena::allocate(size_t bytes, size_t alignment) {
  const auto misaligned = reinterpret_cast<uintptr_t>(next_) & (alignment - 1);
  const size_t pad = misaligned == 0 ? 0 : alignment - misaligned;
  if (next_ == nullptr || static_cast<size_t>(end_ - next_) < pad + bytes) {
    const size_t last = blocks_.empty() ? first_block_bytes_ / 2 : blocks_.back().size;
    const size_t size = std::max({last * 2, bytes, size_t{64}});
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    ++blocks_allocated_;
    next_ = blocks_.back().data.get();
    end_ = next_ + size;
    char* const start = next_;
    next_ += bytes;
    return start;
  }
  char* const start = next_ + pad;
  next_ = start + bytes;
  return start;
}

void Arena::shrink_last(char* start, size_t from_bytes, size_t to_bytes) {
  if (start + from_bytes == next_) next_ = start + to_bytes;
}

std::string_view Arena::copy(std::string_view text) {
  if (text.empty()) return {};
  char* const data = allocate(text.size(), 1);
  std::memcpy(data, text.data(), text.size());
  return {data, text.size()};
}

void Arena::reset() {
  if (blocks_.empty()) return;
  blocks_.resize(1);
  next_ = blocks_.front().data.get();
  end_ = next_ + blocks_.front().size;
}

}  // namespace vsr::json
