// The HTTP API's documents, over memory and SQLite, with records waiting, half stored and stored.
#include "store/replay.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "json/value.h"
#include "store/delivery.h"
#include "store/record_fixture.h"
#include "store/temporary_folder.h"

namespace vsr::store {
namespace {

using json::Value;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
constexpr std::chrono::milliseconds kPatience{20'000};
constexpr uint64_t kNeverMs = 3'600'000;

enum class Where { kPending, kHalfStored, kStored };

struct Setting {
  config::StoreBackend backend;
  Where where;
};

class ReplayTest : public testing::TestWithParam<Setting> {
 protected:
  void SetUp() override { open(); }
  void open() {
    replay_.reset();
    ReplayOptions options;
    options.config.backend = GetParam().backend;
    options.config.sync_interval_ms = kNeverMs;
    options.config.ttl_seconds = 3600;
    options.state_folder = folder_.path();
    options.clock = &clock_;
    auto opened = open_replay(options, &notice_);
    ASSERT_TRUE(opened) << opened.error().message;
    replay_ = *std::move(opened);
  }
  void begin(uint32_t number, RoutingPart part) {
    replay_->begin(fixture::id_of(number), std::move(part));
    if (GetParam().where != Where::kPending) ASSERT_TRUE(replay_->flush(kPatience));
  }
  void end(uint32_t number, TerminalPart part) {
    replay_->end(fixture::id_of(number), std::move(part));
    if (GetParam().where == Where::kStored) ASSERT_TRUE(replay_->flush(kPatience));
  }
  // Records from 0 on; the last one runs.
  void fill(uint32_t records) {
    for (uint32_t i = 0; i < records; ++i) begin(i, fixture::routing(i));
    for (uint32_t i = 0; i + 1 < records; ++i) {
      end(i, fixture::terminal(i, i % 4 == 3 ? Lifecycle::kFailed : Lifecycle::kCompleted));
    }
  }
  static Value parsed(const Result<std::string>& text) {
    EXPECT_TRUE(text) << text.error().message;
    const auto value = Value::parse(text.value_or("null"));
    EXPECT_TRUE(value) << *text;
    return value.value_or(Value());
  }
  Value list(const std::string& query) {
    return parsed(replay_->list(parse_replay_query(query).value()));
  }
  static std::vector<int64_t> turns(const Value& list) {
    std::vector<int64_t> out;
    for (const auto& record : list["data"].items()) out.push_back(record["turn_index"].as_int());
    EXPECT_EQ(list["count"].as_int(), static_cast<int64_t>(out.size()));
    return out;
  }
  Value show(uint32_t number) { return parsed(replay_->show(fixture::id_of(number), {})); }

  FakeClock clock_{fixture::kStart};
  fixture::TemporaryFolder folder_;
  std::string notice_;
  std::unique_ptr<Replay> replay_;
};

TEST_P(ReplayTest, ShowsARecordFromItsBeginningOn) {
  begin(1, fixture::routing(1));
  const Value running = show(1);
  EXPECT_EQ(running["lifecycle_state"].as_string(), "running");
  EXPECT_EQ(running["learning"]["verdict"].as_string(), "stay");
  EXPECT_EQ(running["prompt"].as_string(), "Prompt number 1");
  end(1, fixture::terminal(1));
  const auto routing = fixture::routing(1);
  const auto terminal = fixture::terminal(1);
  EXPECT_EQ(*replay_->show(fixture::id_of(1), {}),
            render_record(fixture::id_of(1), routing, &terminal, true));
}

TEST_P(ReplayTest, ShowsNothingUnknownForeignOrExpired) {
  auto part = fixture::routing(1);
  part.api_key_name = "mine";
  begin(1, std::move(part));
  EXPECT_EQ(replay_->show(fixture::id_of(2), {}).error().code, ErrorCode::kNotFound);
  EXPECT_THAT(replay_->show(fixture::id_of(2), {}).error().message,
              HasSubstr(fixture::id_of(2).hex()));
  ReplayQuery access;
  access.own_only = true;
  access.api_key_name = "mine";
  EXPECT_TRUE(replay_->show(fixture::id_of(1), access));
  access.api_key_name = "other";
  EXPECT_EQ(replay_->show(fixture::id_of(1), access).error().code, ErrorCode::kNotFound);
  clock_.advance(std::chrono::hours(2));
  EXPECT_EQ(replay_->show(fixture::id_of(1), {}).error().code, ErrorCode::kNotFound);
  EXPECT_THAT(turns(list("")), IsEmpty());
}

TEST_P(ReplayTest, ListsNewestFirstWithoutBodies) {
  fill(5);
  const Value all = list("");
  EXPECT_EQ(all["object"].as_string(), "router_replay.list");
  EXPECT_THAT(turns(all), ElementsAre(4, 3, 2, 1, 0));
  EXPECT_EQ(all["total"].as_int(), 5);
  EXPECT_FALSE(all["has_more"].as_bool(true));
  EXPECT_TRUE(all["next_cursor"].is_null());
  for (const auto& record : all["data"].items()) {
    EXPECT_EQ(record.find("request_body"), nullptr);
    EXPECT_EQ(record.find("response_body"), nullptr);
    EXPECT_TRUE(record["prompt"].is_string());
    EXPECT_TRUE(record["signals"].is_object());
  }
  for (const auto& record : list("details=true")["data"].items()) {
    EXPECT_EQ(record["request_body"].as_string(), R"({"model":"auto"})");
  }
}

TEST_P(ReplayTest, ACursorKeepsTheTotalOfTheFirstPage) {
  fill(5);
  const std::string cursor(list("limit=2")["next_cursor"].as_string());
  begin(9, fixture::routing(9));
  const Value page = list("limit=2&cursor=" + cursor);
  EXPECT_THAT(turns(page), ElementsAre(2, 1));
  EXPECT_EQ(page["total"].as_int(), 5);
  EXPECT_EQ(list("limit=2")["total"].as_int(), 6);
}

TEST_P(ReplayTest, PagesByCursorAndByOffset) {
  fill(7);
  std::vector<int64_t> seen;
  std::string cursor;
  for (int pages = 0; pages < 3; ++pages) {
    const Value page = list("limit=3&cursor=" + cursor);
    for (const int64_t turn : turns(page)) seen.push_back(turn);
    EXPECT_EQ(page["total"].as_int(), 7);
    EXPECT_EQ(page["has_more"].as_bool(), pages < 2);
    cursor = page["next_cursor"].as_string();
  }
  EXPECT_THAT(seen, ElementsAre(6, 5, 4, 3, 2, 1, 0));
  EXPECT_EQ(cursor, "");
  for (int64_t offset = 0; offset < 9; ++offset) {
    std::vector<int64_t> expected;
    for (int64_t turn = 6 - offset; turn >= 0 && expected.size() < 2; --turn) {
      expected.push_back(turn);
    }
    EXPECT_EQ(turns(list(fmt::format("limit=2&offset={}", offset))), expected) << offset;
  }
}

TEST_P(ReplayTest, Filters) {
  fill(8);
  const std::vector<std::pair<std::string, std::vector<int64_t>>> cases = {
      {"session_id=session-1", {7, 4, 1}},
      {"conversation_id=conversation-2", {7, 2}},
      {"decision=complex_general&model=model-b", {7, 5, 3, 1}},
      {"action=stay", {6, 4, 2, 0}},
      {"status=running", {7}},
      {"status=failed", {3}},
      {"status=completed", {6, 5, 4, 2, 1, 0}},
      {"status=aborted", {}},
      {"from=1700000002&to=1700000005", {4, 3, 2}},
      {"search=NUMBER+6", {6}},
      {"search=complex", {7, 5, 3, 1}},
  };
  for (const auto& [query, expected] : cases) {
    const Value found = list(query);
    EXPECT_EQ(turns(found), expected) << query;
    EXPECT_EQ(found["total"].as_int(), static_cast<int64_t>(expected.size())) << query;
  }
}

TEST_P(ReplayTest, FindsASessionByItsRawOrHashedId) {
  auto part = fixture::routing(1);
  part.session_id = identity_hash("demo");
  begin(1, std::move(part));
  EXPECT_THAT(turns(list("session_id=demo")), ElementsAre(1));
  EXPECT_THAT(turns(list("session_id=" + identity_hash("demo"))), ElementsAre(1));
  EXPECT_THAT(turns(list("session_id=dem")), IsEmpty());
}

TEST_P(ReplayTest, KeepsToTheCallersOwnRecords) {
  for (uint32_t i = 0; i < 4; ++i) {
    auto part = fixture::routing(i);
    part.api_key_name = i % 2 == 0 ? "mine" : "other";
    part.session_id = "shared";
    begin(i, std::move(part));
  }
  ReplayQuery query;
  query.own_only = true;
  query.api_key_name = "mine";
  EXPECT_THAT(turns(parsed(replay_->list(query))), ElementsAre(2, 0));
  EXPECT_EQ(parsed(replay_->aggregate(query))["record_count"].as_int(), 2);
  query.session_id = "shared";
  EXPECT_EQ(parsed(replay_->trajectory(query))["count"].as_int(), 2);
}

TEST_P(ReplayTest, SearchesOnlyWhatMayBeShown) {
  auto part = fixture::routing(1);
  part.redact = true;
  part.prompt = {"mail me@home.org", false, Scan::kWhole, {{5, 16, "EMAIL"}}};
  part.request_body = {"mail me@home.org"};
  begin(1, std::move(part));
  EXPECT_THAT(turns(list("search=home.org")), IsEmpty());
  EXPECT_THAT(turns(list("search=%5Bemail%5D")), ElementsAre(1));
  EXPECT_THAT(*replay_->show(fixture::id_of(1), {}), testing::Not(HasSubstr("home.org")));
}

// One number, whoever is asked and however the question is narrowed: the model that made the call
// answered in another conversation of the session, earlier, and under another decision.
TEST_P(ReplayTest, UnsafeSwitchesAreTheSameEverywhere) {
  const uint64_t call[] = {7};
  for (uint32_t i = 0; i < 6; ++i) {
    RoutingPart part = fixture::routing(i);  // model-a and model-b in turn
    part.session_id = "s";
    if (i == 2 || i == 3 || i == 5) part.delivered = id_list(call, {});
    begin(i, std::move(part));
    TerminalPart end = fixture::terminal(i);
    if (i == 0) end.emitted = id_list(call, {});
    if (i == 5) end.response_path = "error";
    this->end(i, std::move(end));
  }
  // 3 is model-b's; 2 went back to the maker; 5 would have been model-b's, but was sent nowhere.
  EXPECT_THAT(turns(list("unsafe=true")), ElementsAre(3));
  EXPECT_EQ(list("unsafe=true")["total"].as_int(), 1);
  EXPECT_THAT(turns(list("unsafe=false&limit=2")), ElementsAre(5, 4));
  EXPECT_THAT(turns(list("unsafe=true&model=model-a")), IsEmpty());
  for (const std::string narrowed : {"", "session_id=s", "conversation_id=conversation-3",
                                     "model=model-b", "unsafe=true", "from=2023-11-14T22:13:22Z"}) {
    const ReplayQuery query = parse_replay_query(narrowed).value();
    for (const Value& record : list(narrowed)["data"].items()) {
      EXPECT_EQ(record["is_unsafe_switch"].as_bool(), record["turn_index"].as_int() == 3)
          << narrowed;
    }
    EXPECT_EQ(parsed(replay_->aggregate(query))["unsafe_switches"].as_int(), 1) << narrowed;
    int64_t in_conversations = 0;
    for (const Value& one : parsed(replay_->conversations(query))["data"].items()) {
      in_conversations += one["unsafe_switches"].as_int();
    }
    EXPECT_EQ(in_conversations, 1) << narrowed;
    if (query.session_id.empty() && query.conversation_id.empty()) continue;
    const Value path = parsed(replay_->trajectory(query));
    EXPECT_EQ(path["totals"]["unsafe_switches"].as_int(), 1) << narrowed;
    for (const Value& turn : path["turns"].items()) {
      EXPECT_EQ(turn["is_unsafe_switch"].as_bool(), turn["turn_index"].as_int() == 3) << narrowed;
    }
  }
  EXPECT_TRUE(parsed(replay_->show(fixture::id_of(3), {}))["is_unsafe_switch"].as_bool());
  EXPECT_FALSE(parsed(replay_->show(fixture::id_of(2), {}))["is_unsafe_switch"].as_bool(true));
}

TEST_P(ReplayTest, NoneAsksForWhatHasNoDecisionModelOrAction) {
  begin(1, fixture::routing(1));
  auto refused = fixture::routing(2);
  refused.decision.clear();
  refused.selected_model.clear();
  refused.learning_action.clear();
  begin(2, std::move(refused));
  const Value sums = parsed(replay_->aggregate({}));
  for (const std::string_view member :
       {"model_selection", "decision_distribution", "action_distribution"}) {
    EXPECT_EQ(sums[member]["none"].as_int(), 1) << member;
  }
  for (const char* filter : {"decision=none", "model=none", "action=none"}) {
    EXPECT_THAT(turns(list(filter)), ElementsAre(2)) << filter;
  }
}

TEST_P(ReplayTest, Aggregates) {
  fill(8);
  const Value sums = parsed(replay_->aggregate(parse_replay_query("bucket=minute").value()));
  EXPECT_EQ(sums["object"].as_string(), "router_replay.aggregate");
  EXPECT_EQ(sums["record_count"].as_int(), 8);
  EXPECT_EQ(sums["lifecycle"]["running"].as_int(), 1);
  EXPECT_EQ(sums["lifecycle"]["completed"].as_int(), 6);
  EXPECT_EQ(sums["lifecycle"]["failed"].as_int(), 1);
  EXPECT_DOUBLE_EQ(sums["summary"]["actual_spend"].as_double(), 7 * 0.25);
  EXPECT_DOUBLE_EQ(sums["summary"]["baseline_spend"].as_double(), 7.0);
  EXPECT_DOUBLE_EQ(sums["summary"]["total_saved"].as_double(), 7 * 0.75);
  EXPECT_EQ(sums["summary"]["currency"].as_string(), "USD");
  EXPECT_EQ(sums["model_selection"]["model-a"].as_int(), 4);
  EXPECT_EQ(sums["decision_distribution"]["complex_general"].as_int(), 4);
  EXPECT_EQ(sums["action_distribution"]["switch"].as_int(), 4);
  EXPECT_EQ(sums["signal_distribution"]["keywords"]["math"].as_int(), 8);
  EXPECT_EQ(sums["token_volume"]["cached_prompt_tokens"].as_int(), 7 * 60);
  EXPECT_EQ(sums["switches"].as_int(), 4);
  EXPECT_EQ(sums["unsafe_switches"].as_int(-1), 0);
  EXPECT_EQ(sums["routing_latency_us"]["p50"].as_double(), 13);
  // 22:13:20 and seven seconds on: one minute.
  ASSERT_EQ(sums["time_series"].size(), 1u);
  EXPECT_EQ(sums["time_series"][0]["start"].as_string(), "2023-11-14T22:13:00.000Z");
  EXPECT_EQ(sums["time_series"][0]["record_count"].as_int(), 8);
  const auto filtered = parse_replay_query("model=model-b&status=completed");
  EXPECT_EQ(parsed(replay_->aggregate(*filtered))["record_count"].as_int(), 2);
}

TEST_P(ReplayTest, TellsATrajectory) {
  fill(8);
  const Value path =
      parsed(replay_->trajectory(parse_replay_query("session_id=session-1").value()));
  EXPECT_EQ(path["object"].as_string(), "router_replay.trajectory");
  EXPECT_EQ(path["count"].as_int(), 3);
  std::vector<int64_t> order;
  for (const auto& turn : path["turns"].items()) order.push_back(turn["turn_index"].as_int());
  EXPECT_THAT(order, ElementsAre(1, 4, 7));
  EXPECT_EQ(path["turns"][0]["model"].as_string(), "model-b");
  EXPECT_EQ(path["turns"][0]["action"].as_string(), "switch");
  EXPECT_EQ(path["turns"][1]["total_tokens"].as_int(), 110);
  EXPECT_EQ(path["turns"][2]["lifecycle_state"].as_string(), "running");
  EXPECT_EQ(path["totals"]["switches"].as_int(), 2);
  EXPECT_DOUBLE_EQ(path["totals"]["actual_spend"].as_double(), 0.5);

  EXPECT_EQ(replay_->trajectory({}).error().code, ErrorCode::kInvalidArgument);
  ReplayQuery unknown;
  unknown.session_id = "nobody";
  EXPECT_EQ(replay_->trajectory(unknown).error().code, ErrorCode::kNotFound);
}

TEST_P(ReplayTest, ReadsFromTheNewestOnWithTextsAndWithoutBodies) {
  fill(8);
  std::vector<uint32_t> turns;
  ASSERT_TRUE(replay_->read(0, [&](const Row& row) {
    turns.push_back(row.summary->turn_index);
    EXPECT_TRUE(row.routing && row.prompt);
    EXPECT_EQ(row.terminal != nullptr, row.summary->state != Lifecycle::kRunning);
    return turns.size() < 6;
  }));
  EXPECT_THAT(turns, ElementsAre(7, 6, 5, 4, 3, 2));
  turns.clear();
  ASSERT_TRUE(replay_->read(fixture::kStart + 2000, [&](const Row& row) {
    turns.push_back(row.summary->turn_index);
    return true;
  }));
  EXPECT_THAT(turns, ElementsAre(1, 0));
  const auto row = replay_->find(fixture::id_of(3));
  ASSERT_TRUE(row && *row);
  EXPECT_NE((*row)->request_body, nullptr);
  EXPECT_FALSE(*replay_->find(fixture::id_of(99)));
}

INSTANTIATE_TEST_SUITE_P(Settings, ReplayTest,
                         testing::Values(Setting{config::StoreBackend::kMemory, Where::kPending},
                                         Setting{config::StoreBackend::kMemory, Where::kHalfStored},
                                         Setting{config::StoreBackend::kMemory, Where::kStored},
                                         Setting{config::StoreBackend::kSqlite, Where::kPending},
                                         Setting{config::StoreBackend::kSqlite, Where::kHalfStored},
                                         Setting{config::StoreBackend::kSqlite, Where::kStored}));

ReplayOptions sqlite_in(const fixture::TemporaryFolder& folder, const Clock& clock) {
  ReplayOptions options;
  options.state_folder = folder.path();
  options.clock = &clock;
  return options;
}

TEST(OpenReplay, ClosesWhatAnEarlierProcessLeftRunning) {
  const fixture::TemporaryFolder folder;
  FakeClock clock(fixture::kStart);
  std::string notice;
  {
    const auto replay = open_replay(sqlite_in(folder, clock), &notice).value();
    replay->begin(fixture::id_of(1), fixture::routing(1));
  }
  clock.advance(std::chrono::seconds(60));
  const auto replay = open_replay(sqlite_in(folder, clock), &notice).value();
  const auto record = Value::parse(*replay->show(fixture::id_of(1), {})).value();
  EXPECT_EQ(record["lifecycle_state"].as_string(), "aborted");
  EXPECT_EQ(record["terminal_reason"].as_string(), "crash");
  EXPECT_EQ(record["ended_at"].as_string(), "2023-11-14T22:14:20.000Z");
  EXPECT_EQ(record["prompt"].as_string(), "Prompt number 1");
  EXPECT_EQ(notice, "");
  EXPECT_EQ(replay->health().backend, "sqlite");
}

TEST(OpenReplay, SaysWhatHappenedToADamagedFile) {
  const fixture::TemporaryFolder folder;
  const FakeClock clock(fixture::kStart);
  {
    std::ofstream(folder.file("replay.sqlite")) << std::string(20'000, 'x');
  }
  std::string notice;
  const auto replay = open_replay(sqlite_in(folder, clock), &notice).value();
  EXPECT_THAT(notice, HasSubstr("was damaged and has been moved to"));
  EXPECT_EQ(replay->health().notice, notice);
  EXPECT_TRUE(replay->health().ok);
}

TEST(OpenReplay, RefusesStoresThatItDoesNotHave) {
  ReplayOptions options;
  const FakeClock clock;
  options.clock = &clock;
  for (const auto backend : {config::StoreBackend::kPostgres, config::StoreBackend::kRedis}) {
    options.config.backend = backend;
    const auto replay = open_replay(options, nullptr);
    ASSERT_FALSE(replay);
    EXPECT_EQ(replay.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(replay.error().message, HasSubstr("--store-override replay=sqlite"));
  }
}

TEST(OpenReplay, SaysWhoHoldsTheFolder) {
  const fixture::TemporaryFolder folder;
  const FakeClock clock;
  const auto first = open_replay(sqlite_in(folder, clock), nullptr);
  const auto second = open_replay(sqlite_in(folder, clock), nullptr);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("is held by process"));
}

}  // namespace
}  // namespace vsr::store
