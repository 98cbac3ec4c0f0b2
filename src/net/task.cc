#include "net/task.h"

#include <array>
#include <cstdint>
#include <new>

namespace vsr::net {

namespace {

// Under a sanitizer every frame goes to the heap, where a use after its end is seen.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kRecycles = false;
#else
constexpr bool kRecycles = true;
#endif

constexpr size_t kClassBytes = 256;
constexpr size_t kFrameBytesMax = 8192;
constexpr size_t kBytesKeptMax = 256 * 1024;  // of one size class
constexpr size_t kClasses = kFrameBytesMax / kClassBytes;

struct FreeFrame {
  FreeFrame* next;
};
struct FrameList {
  FreeFrame* first = nullptr;
  size_t count = 0;
};
struct FrameLists {
  std::array<FrameList, kClasses> classes;
  ~FrameLists() {
    for (FrameList& list : classes) {
      while (list.first != nullptr) {
        FreeFrame* const next = list.first->next;
        ::operator delete(list.first);
        list.first = next;
      }
      list.count = SIZE_MAX;  // frames that end after this thread's lists did go to the heap
    }
  }
};
thread_local constinit FrameLists lists;

constexpr size_t class_of(size_t bytes) { return (bytes + kClassBytes - 1) / kClassBytes - 1; }

}  // namespace

void* allocate_frame(size_t bytes) {
  if (!kRecycles || bytes > kFrameBytesMax) return ::operator new(bytes);
  FrameList& list = lists.classes[class_of(bytes)];
  if (list.first == nullptr) return ::operator new((class_of(bytes) + 1) * kClassBytes);
  FreeFrame* const frame = list.first;
  list.first = frame->next;
  --list.count;
  return frame;
}

void release_frame(void* frame, size_t bytes) noexcept {
  if (!kRecycles || bytes > kFrameBytesMax) return ::operator delete(frame);
  FrameList& list = lists.classes[class_of(bytes)];
  if (list.count >= kBytesKeptMax / ((class_of(bytes) + 1) * kClassBytes)) {
    return ::operator delete(frame);
  }
  list.first = new (frame) FreeFrame{list.first};
  ++list.count;
}

}  // namespace vsr::net
