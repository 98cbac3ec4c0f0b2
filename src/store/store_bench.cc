// What a replay record costs: on the request's thread, on the writer's, and to read 100,000 of.
#include <benchmark/benchmark.h>

#include <chrono>

#include "store/memory_store.h"
#include "store/record_fixture.h"
#include "store/record_writer.h"
#include "store/replay.h"
#include "store/sqlite_store.h"
#include "store/temporary_folder.h"

namespace vsr::store {
namespace {

constexpr uint32_t kRecords = 100'000;
constexpr size_t kPromptBytes = 1024;
constexpr size_t kBodyBytes = 16 * 1024;
constexpr std::chrono::milliseconds kPatience{60'000};

const SystemClock kClock;

RoutingPart routing_with_texts(uint32_t number) {
  RoutingPart part = fixture::routing(number);
  part.prompt.text.append(kPromptBytes, 'p');
  part.request_body.text.append(kBodyBytes, 'b');
  return part;
}

TerminalPart terminal_with_text(uint32_t number) {
  TerminalPart part = fixture::terminal(number);
  part.response_body.text.append(kBodyBytes, 'r');
  return part;
}

// Time of begin() and end() for the thread that calls them, while the writer drains into memory.
void BM_BeginAndEnd(benchmark::State& state) {
  constexpr uint32_t kRound = 1000;
  RecordWriter writer(std::make_unique<MemoryStore>(1000), {.clock = &kClock});
  uint32_t number = 0;
  for (auto _ : state) {
    std::vector<RoutingPart> routing;
    std::vector<TerminalPart> terminal;
    for (uint32_t i = 0; i < kRound; ++i) {
      routing.push_back(routing_with_texts(i));
      terminal.push_back(terminal_with_text(i));
    }
    const auto start = std::chrono::steady_clock::now();
    for (uint32_t i = 0; i < kRound; ++i) {
      const Id128 id = fixture::id_of(number + i);
      writer.begin(id, std::move(routing[i]));
      writer.end(id, std::move(terminal[i]));
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    state.SetIterationTime(took.count() / kRound);
    number += kRound;
    if (!writer.flush(kPatience)) state.SkipWithError("the writer does not keep up");
  }
  state.counters["dropped"] = static_cast<double>(writer.dropped().records);
}
BENCHMARK(BM_BeginAndEnd)->UseManualTime()->Iterations(50)->Unit(benchmark::kMicrosecond);

void BM_Render(benchmark::State& state) {
  const RoutingPart routing = routing_with_texts(1);
  const TerminalPart terminal = terminal_with_text(1);
  for (auto _ : state) {
    Row row;
    render_routing(routing, row);
    render_terminal(terminal, false, row);
    benchmark::DoNotOptimize(row);
  }
}
BENCHMARK(BM_Render)->Unit(benchmark::kMicrosecond);

// One finished record in batches of 64, documents of 2 KB, with or without bodies of 16 KB.
void BM_SqliteRow(benchmark::State& state) {
  const bool has_bodies = state.range(0) != 0;
  const fixture::TemporaryFolder folder;
  const auto store = SqliteStore::open({.folder = folder.path(), .clock = &kClock}).value();
  uint32_t number = 0;
  for (auto _ : state) {
    std::vector<Row> rows(RecordWriter::kBatchRowsMax);
    for (auto& row : rows) {
      row.id = fixture::id_of(number);
      row.sequence = first_sequence_at(fixture::kStart) + number++;
      render_routing(has_bodies ? routing_with_texts(number) : fixture::routing(number), row);
      render_terminal(has_bodies ? terminal_with_text(number) : fixture::terminal(number), false,
                      row);
    }
    const auto start = std::chrono::steady_clock::now();
    if (!store->write(rows)) state.SkipWithError("write failed");
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    state.SetIterationTime(took.count() / RecordWriter::kBatchRowsMax);
  }
}
BENCHMARK(BM_SqliteRow)
    ->Arg(0)
    ->Arg(1)
    ->UseManualTime()
    ->Iterations(200)
    ->Unit(benchmark::kMicrosecond);

// A store of each kind with 100,000 records, made once.
struct Filled {
  explicit Filled(config::StoreBackend backend) {
    ReplayOptions options;
    options.config.backend = backend;
    options.config.ttl_seconds = 1e9;
    options.state_folder = folder.path();
    options.clock = &kClock;
    replay = open_replay(options, nullptr).value();
    constexpr uint32_t kRound = 5000;
    for (uint32_t i = 0; i < kRecords; ++i) {
      auto part = fixture::routing(i);
      part.session_id = "session-" + std::to_string(i % 1000);
      replay->begin(fixture::id_of(i), std::move(part));
      replay->end(fixture::id_of(i), fixture::terminal(i));
      if (i % kRound == kRound - 1) replay->flush(kPatience);
    }
  }
  fixture::TemporaryFolder folder;
  std::unique_ptr<Replay> replay;
};

Replay& filled(config::StoreBackend backend) {
  static Filled memory(config::StoreBackend::kMemory);
  static Filled sqlite(config::StoreBackend::kSqlite);
  return backend == config::StoreBackend::kMemory ? *memory.replay : *sqlite.replay;
}

using Read = Result<std::string> (Replay::*)(const ReplayQuery&);

void read(benchmark::State& state, config::StoreBackend backend, Read method, const char* text) {
  Replay& replay = filled(backend);
  const auto query = parse_replay_query(text).value();
  size_t bytes = 0;
  for (auto _ : state) {
    const auto json = (replay.*method)(query);
    if (!json) state.SkipWithError(json.error().message.c_str());
    bytes = json.value_or("").size();
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}

void show(benchmark::State& state, config::StoreBackend backend) {
  Replay& replay = filled(backend);
  for (auto _ : state) {
    if (!replay.show(fixture::id_of(kRecords / 2), {})) state.SkipWithError("not there");
  }
}

constexpr auto kMemory = config::StoreBackend::kMemory;
constexpr auto kSqlite = config::StoreBackend::kSqlite;
constexpr auto kMs = benchmark::kMillisecond;
BENCHMARK_CAPTURE(show, sqlite, kSqlite)->Unit(kMs);
BENCHMARK_CAPTURE(read, sqlite_list, kSqlite, &Replay::list, "")->Unit(kMs);
BENCHMARK_CAPTURE(read, sqlite_list_at_offset, kSqlite, &Replay::list, "offset=50000")->Unit(kMs);
BENCHMARK_CAPTURE(read, sqlite_list_model, kSqlite, &Replay::list, "model=model-a")->Unit(kMs);
BENCHMARK_CAPTURE(read, sqlite_list_session, kSqlite, &Replay::list, "session_id=session-7")
    ->Unit(kMs);
BENCHMARK_CAPTURE(read, sqlite_list_search, kSqlite, &Replay::list, "search=number+777")->Unit(kMs);
BENCHMARK_CAPTURE(read, sqlite_aggregate, kSqlite, &Replay::aggregate, "bucket=hour")->Unit(kMs);
BENCHMARK_CAPTURE(read, sqlite_trajectory, kSqlite, &Replay::trajectory, "session_id=session-7")
    ->Unit(kMs);
BENCHMARK_CAPTURE(read, memory_list, kMemory, &Replay::list, "")->Unit(kMs);
BENCHMARK_CAPTURE(read, memory_aggregate, kMemory, &Replay::aggregate, "bucket=hour")->Unit(kMs);

}  // namespace
}  // namespace vsr::store
