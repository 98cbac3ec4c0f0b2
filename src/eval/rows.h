#pragma once

// JSON Lines in, one answer each, in the order of the input. With one thread a row is answered
// before the next is read; with more, up to kRowsPerThread rows a thread are in memory. Not for
// event loops: it blocks.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <istream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "json/value.h"

namespace vsr::eval {

inline constexpr size_t kThreadsMax = 256;
inline constexpr size_t kRowsPerThread = 64;

// `work` answers one object, on any thread; `done` takes object and answer on this one. Empty lines
// are skipped. Ends at the first row that is no object or has no answer; the error names its line.
template <typename Answer>
Status for_each_row(std::istream& in, size_t threads,
                    const std::function<Result<Answer>(const json::Value&)>& work,
                    const std::function<void(const json::Value&, const Answer&)>& done) {
  struct Row {
    size_t number = 0;
    std::string line;
    json::Value input;
    std::optional<Result<Answer>> answer;
  };
  threads = std::clamp<size_t>(threads, 1, kThreadsMax);
  const size_t rows_max = threads == 1 ? 1 : threads * kRowsPerThread;
  const auto answer = [&work](Row& row) {
    Result<json::Value> input = json::Value::parse(row.line);
    if (!input || !input->is_object()) {
      row.answer = fail(ErrorCode::kInvalidArgument, "it is no JSON object");
      return;
    }
    row.input = std::move(*input);
    row.answer = work(row.input);
  };
  std::vector<Row> rows;
  std::string line;
  for (size_t number = 0; in;) {
    rows.clear();
    while (rows.size() < rows_max && std::getline(in, line)) {
      ++number;
      if (line.find_first_not_of(" \t\r") != std::string::npos) rows.push_back({number, line});
    }
    std::atomic<size_t> next{0};
    const auto answer_some = [&] {
      for (size_t i = next++; i < rows.size(); i = next++) answer(rows[i]);
    };
    {
      std::vector<std::jthread> others;
      for (size_t t = 1; t < std::min(threads, rows.size()); ++t) others.emplace_back(answer_some);
      answer_some();
    }
    for (const Row& row : rows) {
      if (!*row.answer) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("line {}: {}", row.number, row.answer->error().message));
      }
      done(row.input, **row.answer);
    }
  }
  return {};
}

}  // namespace vsr::eval
