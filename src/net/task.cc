#include "net/task.h"

#include <array>
#include <new>
#include <vector>

namespace vsr::net {

namespace {

constexpr size_t kClassBytes = 256;
constexpr size_t kFrameBytesMax = 8192;
constexpr size_t kFramesKeptMax = 256;
constexpr size_t kClasses = kFrameBytesMax / kClassBytes;

struct FrameLists {
  std::array<std::vector<void*>, kClasses> free;
  ~FrameLists() {
    for (auto& list : free) {
      for (void* frame : list) ::operator delete(frame);
      list.clear();
    }
  }
};
thread_local FrameLists lists;

constexpr size_t class_of(size_t bytes) { return (bytes + kClassBytes - 1) / kClassBytes - 1; }

}  // namespace

void* allocate_frame(size_t bytes) {
  if (bytes > kFrameBytesMax) return ::operator new(bytes);
  auto& free = lists.free[class_of(bytes)];
  if (free.empty()) return ::operator new((class_of(bytes) + 1) * kClassBytes);
  void* frame = free.back();
  free.pop_back();
  return frame;
}

void release_frame(void* frame, size_t bytes) noexcept {
  if (bytes > kFrameBytesMax) return ::operator delete(frame);
  auto& free = lists.free[class_of(bytes)];
  if (free.size() >= kFramesKeptMax) return ::operator delete(frame);
  free.push_back(frame);
}

}  // namespace vsr::net
