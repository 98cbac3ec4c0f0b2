#include "http/buffer.h"

#include <array>
#include <bit>
#include <cstdint>
#include <new>

namespace vsr::http::internal {

namespace {

// Under a sanitizer every block goes to the heap, where a use after its end is seen.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kRecycles = false;
#else
constexpr bool kRecycles = true;
#endif

constexpr size_t kClasses = std::bit_width(kBlockBytesMax / kBlockBytesMin);

struct FreeBlock {
  FreeBlock* next;
};

struct FreeBlocks {
  std::array<FreeBlock*, kClasses> classes{};
  size_t bytes = 0;
  ~FreeBlocks() {
    for (FreeBlock*& first : classes) {
      while (first != nullptr) ::operator delete(std::exchange(first, first->next));
    }
    bytes = kBytesKeptMax;  // blocks that end after this thread's lists go to the heap
  }
};
thread_local constinit FreeBlocks kept;

// Sizes are powers of two from kBlockBytesMin.
size_t class_of(size_t bytes) { return std::bit_width((bytes - 1) / kBlockBytesMin); }

}  // namespace

char* take_block(size_t& bytes) {
  if (kRecycles && bytes <= kBlockBytesMax) {
    bytes = std::bit_ceil(std::max(bytes, kBlockBytesMin));
    FreeBlock*& first = kept.classes[class_of(bytes)];
    if (first != nullptr) {
      kept.bytes -= bytes;
      return reinterpret_cast<char*>(std::exchange(first, first->next));
    }
  }
  return static_cast<char*>(::operator new(bytes));
}

void give_block(char* block, size_t bytes) noexcept {
  if (kRecycles && bytes <= kBlockBytesMax && kept.bytes + bytes <= kBytesKeptMax) {
    FreeBlock*& first = kept.classes[class_of(bytes)];
    first = new (block) FreeBlock{first};
    kept.bytes += bytes;
    return;
  }
  ::operator delete(block);
}

}  // namespace vsr::http::internal
