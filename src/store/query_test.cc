#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/filter.h"
#include "store/replay.h"

namespace vsr::store {
namespace {

TEST(ParseReplayQuery, ReadsEveryParameter) {
  const auto query = parse_replay_query(
      "?limit=5&session_id=a%20b&conversation_id=c+d&decision=x&model=qwen%2Fq&action=hard_lock"
      "&status=failed&from=2023-11-14T22:13:20Z&to=1700000060&search=%31&details=true"
      "&bucket=hour&offset=7&unsafe=true");
  ASSERT_TRUE(query) << query.error().message;
  EXPECT_EQ(query->limit, 5u);
  EXPECT_EQ(query->offset, 7u);
  EXPECT_EQ(query->session_id, "a b");
  EXPECT_EQ(query->conversation_id, "c d");
  EXPECT_EQ(query->decision, "x");
  EXPECT_EQ(query->model, "qwen/q");
  EXPECT_EQ(query->action, "hard_lock");
  EXPECT_EQ(query->status, "failed");
  EXPECT_EQ(query->from, 1'700'000'000'000);
  EXPECT_EQ(query->to, 1'700'000'060'000);
  EXPECT_EQ(query->search, "1");
  EXPECT_TRUE(query->details);
  EXPECT_EQ(query->unsafe, true);
  EXPECT_EQ(parse_replay_query("unsafe=0")->unsafe, false);
  EXPECT_EQ(query->bucket, "hour");
}

TEST(ParseReplayQuery, HasDefaultsAndIgnoresEmptyValues) {
  for (const auto* text : {"", "?", "&&", "decision=&limit=&status", "details=false"}) {
    const auto query = parse_replay_query(text);
    ASSERT_TRUE(query) << text;
    EXPECT_EQ(query->limit, 20u);
    EXPECT_TRUE(query->decision.empty());
    EXPECT_FALSE(query->details);
    EXPECT_FALSE(query->unsafe);
  }
}

TEST(ParseReplayQuery, NamesWhatIsWrongAndWhatIsAllowed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"limit=0", "limit must be a whole number from 1 to 100."},
      {"limit=101", "limit must be a whole number from 1 to 100."},
      {"limit=-1", "limit must be a whole number from 1 to 100."},
      {"limit=5x", "limit must be a whole number from 1 to 100."},
      {"limit=99999999999999999999", "limit must be a whole number from 1 to 100."},
      {"offset=1000001", "offset must be a whole number from 0 to 1000000."},
      {"cursor=12", "cursor must be the next_cursor of an earlier list, unchanged."},
      {"cursor=018bcfe568000000", "cursor must be the next_cursor of an earlier list, unchanged."},
      {"cursor=f0000000000000000000000000000000",
       "cursor must be the next_cursor of an earlier list, unchanged."},
      {"cursor=0000000000000000f000000000000000",
       "cursor must be the next_cursor of an earlier list, unchanged."},
      {"cursor=018bcfe5680000000000000000000007&offset=3",
       "cursor and offset exclude each other; use cursor to go on from a page."},
      {"status=done", "status must be running, completed, failed or aborted."},
      {"status=or", "status must be running, completed, failed or aborted."},
      {"action=keep", "action must be select, stay, switch, hard_lock, bypass, noop or none."},
      {"bucket=year", "bucket must be minute, hour or day."},
      {"unsafe=maybe", "unsafe must be true or false."},
      {"details=yes", "details must be true or false."},
      {"from=2&to=1", "from must be earlier than to."},
      {"limit=1&limit=2", "limit is given twice; give it once."},
      {"a=%4", "The query has a percent sign without two hex digits; write %25 for the sign."},
      {"search=%zz",
       "The query has a percent sign without two hex digits; write %25 for the sign."},
  };
  for (const auto& [text, message] : cases) {
    const auto query = parse_replay_query(text);
    ASSERT_FALSE(query) << text;
    EXPECT_EQ(query.error().message, message) << text;
    EXPECT_EQ(query.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(query.error().source, ErrorSource::kClient);
  }
  EXPECT_THAT(parse_replay_query("from=tomorrow").error().message,
              testing::StartsWith("from must be a time like "));
  EXPECT_THAT(parse_replay_query("to=9999-01-01").error().message,
              testing::StartsWith("to must be a time like "));
  EXPECT_EQ(parse_replay_query("modell=x").error().message,
            "There is no parameter of the name modell; there are limit, cursor, offset, "
            "session_id, conversation_id, decision, model, action, status, from, to, search, "
            "unsafe, details, bucket.");
  EXPECT_EQ(parse_replay_query(std::string(8193, 'a')).error().message,
            "The query is longer than 8192 bytes.");
}

TEST(IdentityHash, IsTheStartOfSha256) {
  EXPECT_EQ(identity_hash("abc"), "ba7816bf8f01cfea");
  EXPECT_EQ(identity_hash(""), "e3b0c44298fc1c14");
}

TEST(Contains, IgnoresAsciiCase) {
  const std::vector<std::tuple<std::string, std::string, bool>> cases = {
      {"Hello World", "o w", true}, {"Hello", "HELLO", true}, {"Hello", "", true}, {"", "a", false},
      {"abc", "abcd", false},       {"aab", "ab", true}};
  for (const auto& [text, needle, expected] : cases) {
    EXPECT_EQ(contains(text, needle), expected) << text << " / " << needle;
  }
}

}  // namespace
}  // namespace vsr::store
