#include "http/sse.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace vsr::http {
namespace {

// The events of a stream that is fed in parts of the lengths that `next` gives.
template <typename Next>
std::vector<std::string> events_of(std::string_view stream, Next next) {
  SseParser parser;
  std::vector<std::string> events;
  while (!stream.empty()) {
    // An exact copy, so that a view that outlives its part is seen by the sanitizers.
    const std::string part(stream.substr(0, next()));
    parser.feed(part, [&](std::string_view data) { events.emplace_back(data); });
    stream.remove_prefix(part.size());
  }
  return events;
}

TEST(Sse, Reads) {
  struct Case {
    const char* stream;
    std::vector<std::string> events;
  };
  const Case cases[] = {
      {"data: one\n\n", {"one"}},
      {"data:one\r\n\r\n", {"one"}},
      {"data: one\r\r", {"one"}},
      {"data:  two spaces\n\n", {" two spaces"}},
      {"data: a\ndata: b\n\n", {"a\nb"}},
      {"data\n\n", {""}},
      {"data:\n\ndata:\ndata:\n\n", {"", "\n"}},
      {": comment\n\ndata: x\n\n", {"x"}},
      {"event: ping\nid: 7\nretry: 10\n\n", {}},
      {"database: x\n\n", {}},
      {"\xef\xbb\xbf"
       "data: marked\n\n",
       {"marked"}},
      {"data: never ended", {}},
      {"data: never ended\n", {}},
      {"\n\n\r\n\rdata: x\n\n\n", {"x"}},
      {"data: {\"a\":1}\n\ndata: [DONE]\n\n", {"{\"a\":1}", "[DONE]"}},
  };
  for (const Case& c : cases) {
    const std::string_view stream = c.stream;
    EXPECT_EQ(events_of(stream, [&] { return stream.size(); }), c.events) << c.stream;
    EXPECT_EQ(events_of(stream, [] { return 1; }), c.events) << c.stream << ", byte by byte";
  }
}

TEST(Sse, AnySplitGivesTheSameEvents) {
  std::mt19937 random(7);
  const std::string_view alphabet[] = {"data: ",
                                       "data",
                                       ":",
                                       "\n",
                                       "\n",
                                       "\r",
                                       "\r\n",
                                       "x",
                                       "é",
                                       "event: y",
                                       " ",
                                       "\n\n",
                                       "data: long value\n\n"};
  for (int round = 0; round < 2'000; ++round) {
    std::string stream;
    for (size_t i = random() % 60; i > 0; --i) stream += alphabet[random() % std::size(alphabet)];
    const auto whole = events_of(stream, [&] { return stream.size(); });
    const auto cut = events_of(stream, [&] { return 1 + random() % 7; });
    ASSERT_EQ(whole, cut) << stream;
  }
}

TEST(Sse, TheLimitDoesNotDependOnTheSplit) {
  struct Case {
    const char* what;
    size_t line;  // length of each of the lines
    int lines;
    bool fits;
  };
  const Case cases[] = {
      {"one line at the limit", kEventBytesMax - 6, 1, true},
      {"one line over", kEventBytesMax, 1, false},
      {"many lines over", kEventBytesMax / 4, 5, false},
  };
  for (const Case& c : cases) {
    std::string stream;
    for (int i = 0; i < c.lines; ++i) stream += "data: " + std::string(c.line, 'x') + "\n";
    stream += "\ndata: after\n\n";
    for (const size_t step : {stream.size(), size_t{100'000}}) {
      SseParser parser;
      size_t events = 0;
      bool ok = true;
      for (size_t at = 0; at < stream.size(); at += step) {
        ok = parser.feed(std::string_view(stream).substr(at, step),
                         [&](std::string_view) { ++events; });
      }
      EXPECT_EQ(ok, c.fits) << c.what << " in steps of " << step;
      EXPECT_EQ(events, c.fits ? 2u : 0u) << c.what << " in steps of " << step;
    }
  }
}

}  // namespace
}  // namespace vsr::http
