// Counts calls to the heap on the paths that every request and every chunk takes. Not under a
// sanitizer, where the allocator is not ours to replace.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

#include "wire/chat_request.h"
#include "wire/message.h"
#include "wire/response.h"
#include "wire/sample_body.h"

namespace {
std::atomic<size_t> allocations{0};
}  // namespace

void* operator new(size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  std::abort();
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace vsr::wire {
namespace {

template <typename Work>
size_t allocations_of(Work work) {
  const size_t before = allocations;
  work();
  return allocations - before;
}

TEST(Allocations, AWarmRequestTakesNone) {
  const std::string body = sample_body(226 * 1024, 24, true);
  json::Reader reader;
  json::Arena arena(256 * 1024);
  const auto work = [&] {
    arena.reset();
    const auto request = parse_chat(reader, arena, body);
    const auto last = request->messages.size() - 1;
    EXPECT_TRUE(
        parse_message(reader, arena, request->messages[last].raw.in(body), last).has_value());
  };
  EXPECT_GT(allocations_of(work), 0u) << "the counter works";
  EXPECT_EQ(allocations_of(work), 0u);
}

TEST(Allocations, AWarmStreamTakesNone) {
  json::Reader reader;
  StreamObserver observer({.text_bytes_max = 100, .arguments_bytes_max = 100});
  const auto chunk = [&] {
    observer.on_data(reader, R"({"choices":[{"index":0,"delta":{"content":"a \"token\""}}]})");
    observer.on_data(
        reader,
        R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]})");
  };
  for (int i = 0; i < 20; ++i) chunk();
  EXPECT_EQ(allocations_of(chunk), 0u);
}

}  // namespace
}  // namespace vsr::wire
#endif
