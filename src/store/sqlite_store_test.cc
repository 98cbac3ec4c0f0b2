#include "store/sqlite_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "store/record_fixture.h"
#include "store/record_writer.h"
#include "store/sqlite_schema.h"
#include "store/temporary_folder.h"

namespace vsr::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

const FakeClock kClock{fixture::kStart};
constexpr std::chrono::milliseconds kPatience{20'000};

// The system's file system on a disk that can be full: writing to the log fails, all else goes on.
class FullDisk {
 public:
  static constexpr const char* kName = "full_disk";
  static std::atomic<bool> is_full;

  static void install() {
    static sqlite3_vfs vfs;
    sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
    vfs = *system;
    vfs.zName = kName;
    vfs.pNext = nullptr;
    vfs.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
      sqlite3_vfs* const base = sqlite3_vfs_find(nullptr);
      const int code = base->xOpen(base, name, file, flags, out);
      if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return code;
      static const sqlite3_io_methods* const original = file->pMethods;
      static const sqlite3_io_methods replaced = [] {
        sqlite3_io_methods methods = *original;
        methods.xWrite = [](sqlite3_file* to, const void* bytes, int count, sqlite3_int64 at) {
          return is_full ? SQLITE_FULL : original->xWrite(to, bytes, count, at);
        };
        return methods;
      }();
      file->pMethods = &replaced;
      return code;
    };
    sqlite3_vfs_register(&vfs, 0);
  }
};
std::atomic<bool> FullDisk::is_full = false;

class SqliteStoreTest : public testing::Test {
 protected:
  Result<std::unique_ptr<SqliteStore>> try_open(const char* vfs = nullptr) {
    return SqliteStore::open({.folder = folder_.path(), .clock = &kClock, .vfs = vfs});
  }
  std::unique_ptr<SqliteStore> open(const char* vfs = nullptr) {
    auto store = try_open(vfs);
    VSR_CHECK(store.has_value(), "{}", store ? "" : store.error().message);
    return *std::move(store);
  }
  void fill(uint32_t records) {
    const auto store = open();
    std::vector<Row> rows;
    for (uint32_t i = 0; i < records; ++i) rows.push_back(fixture::row(i));
    ASSERT_TRUE(store->write(rows));
  }
  std::string path() const { return folder_.file(SqliteStore::kFileName); }
  std::string aside() const { return path() + ".corrupt-20231114T221320000Z"; }
  void overwrite(std::streamoff from, size_t bytes) {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(from);
    file << std::string(bytes, '\x5a');
    ASSERT_TRUE(file.good());
  }

  fixture::TemporaryFolder folder_;
};

TEST_F(SqliteStoreTest, KeepsRecordsOverARestart) {
  fill(3);
  const auto store = open();
  EXPECT_EQ(*store->count({}), 3u);
  EXPECT_EQ(store->notice(), "");
}

TEST_F(SqliteStoreTest, IsReadableByItsOwnerOnly) {
  const auto store = open();
  ASSERT_TRUE(store->write(std::vector{fixture::row(1)}));
  for (const auto* suffix : {"", "-wal", "-shm", ".lock"}) {
    EXPECT_EQ(fs::status(path() + suffix).permissions(),
              fs::perms::owner_read | fs::perms::owner_write)
        << suffix;
  }
}

TEST_F(SqliteStoreTest, IsHeldByOneProcess) {
  const auto first = open();
  const auto second = try_open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(second.error().message,
            fmt::format("{}.lock is held by process {}; stop it, or start this one with another "
                        "state folder",
                        path(), ::getpid()));
}

TEST_F(SqliteStoreTest, NamesAFolderThatIsNotThere) {
  const auto store = SqliteStore::open({.folder = folder_.file("missing"), .clock = &kClock});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(store.error().message, HasSubstr("No such file or directory"));
}

TEST_F(SqliteStoreTest, LeavesANewerFileAlone) {
  fill(1);
  {
    auto database = SqliteDatabase::open(path(), nullptr);
    ASSERT_TRUE(database->execute("PRAGMA user_version = 99"));
  }
  const auto store = try_open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(store.error().message, HasSubstr("written by a newer version (schema 99"));
  EXPECT_TRUE(fs::exists(path()));
}

TEST_F(SqliteStoreTest, HasTheNewestSchema) {
  open();
  auto database = SqliteDatabase::open(path(), nullptr);
  EXPECT_EQ(*database->integer("PRAGMA user_version"), replay_schema_version());
  EXPECT_EQ(*database->integer("PRAGMA page_size"), 8192);
}

// The columns of later versions are 0 in records of earlier ones.
TEST_F(SqliteStoreTest, TakesOverAFileOfTheFirstVersion) {
  fill(2);
  {
    auto database = SqliteDatabase::open(path(), nullptr);
    for (const char* column : {"lineage", "prefix", "parent", "delivered", "emitted"}) {
      ASSERT_TRUE(database->execute(fmt::format("ALTER TABLE records DROP COLUMN {}", column)));
    }
    ASSERT_TRUE(database->execute("PRAGMA user_version = 1"));
  }
  const auto store = try_open();
  ASSERT_TRUE(store) << store.error().message;
  const auto row = (*store)->find(fixture::id_of(1));
  ASSERT_TRUE(row && *row) << "the records are still there";
  EXPECT_EQ((*row)->summary->prefix, 0);
  EXPECT_EQ((*row)->summary->prompt_tokens, 100);
}

struct Damage {
  const char* what;
  std::function<void(const std::string& path)> make;
};

TEST_F(SqliteStoreTest, MovesADamagedFileAsideWhenItOpens) {
  const std::vector<Damage> damages = {
      {"not a database",
       [](const std::string& path) { std::ofstream(path) << std::string(20'000, 'x'); }},
      {"somebody else's",
       [](const std::string& path) {
         auto database = SqliteDatabase::open(path, nullptr);
         ASSERT_TRUE(database->execute("CREATE TABLE other (x)"));
       }},
      {"cut",
       [this](const std::string& path) {
         fill(500);
         fs::resize_file(path, 20'000);
       }},
      {"overwritten",
       [this](const std::string& path) {
         fill(500);
         overwrite(8192, fs::file_size(path) - 8192);
       }},
  };
  for (const auto& damage : damages) {
    fs::remove(path());
    fs::remove(aside());
    damage.make(path());
    const auto store = open();
    EXPECT_EQ(store->notice(),
              fmt::format("The replay file {} was damaged and has been moved to {}; a new one has "
                          "been started.",
                          path(), aside()))
        << damage.what;
    EXPECT_TRUE(fs::exists(aside())) << damage.what;
    EXPECT_EQ(*store->count({}), 0u) << damage.what;
    ASSERT_TRUE(store->write(std::vector{fixture::row(1)})) << damage.what;
    EXPECT_TRUE(*store->find(fixture::id_of(1))) << damage.what;
  }
}

TEST_F(SqliteStoreTest, KeepsEveryFileThatItMovesAside) {
  for (int i = 0; i < 2; ++i) {
    std::ofstream(path()) << std::string(20'000, 'x');
    open();
    fs::remove(path());
  }
  EXPECT_TRUE(fs::exists(aside()));
  EXPECT_TRUE(fs::exists(aside() + "-2"));
}

// Damage in the middle shows only when something reads there.
TEST_F(SqliteStoreTest, MovesADamagedFileAsideWhenDamageShows) {
  for (const bool a_reader_finds_it : {true, false}) {
    fs::remove(path());
    fs::remove(aside());
    fill(500);
    // The roots stand before, the last rows of each table behind.
    overwrite(static_cast<std::streamoff>(fs::file_size(path()) / 2), 20 * 8192);
    const auto store = open();
    ASSERT_EQ(store->notice(), "");
    if (a_reader_finds_it) {
      const auto rows = store->page({}, 0, 500, true);
      ASSERT_TRUE(rows) << rows.error().message;
      EXPECT_TRUE(rows->empty());
    } else {
      ASSERT_TRUE(store->expire(INT64_MAX, 0, 400));
    }
    EXPECT_THAT(store->notice(), HasSubstr(aside()));
    ASSERT_TRUE(store->write(std::vector{fixture::row(1)}));
    EXPECT_EQ(*store->count({}), 1u);
  }
}

TEST_F(SqliteStoreTest, AFullDiskLosesNothing) {
  FullDisk::install();
  auto owned = open(FullDisk::kName);
  SqliteStore* const store = owned.get();
  RecordWriter writer(std::move(owned), {.clock = &kClock});
  const auto put = [&writer](uint32_t number) {
    writer.begin(fixture::id_of(number), fixture::routing(number));
    writer.end(fixture::id_of(number), fixture::terminal(number));
  };
  for (uint32_t i = 0; i < 100; ++i) put(i);
  ASSERT_TRUE(writer.flush(kPatience));

  FullDisk::is_full = true;
  for (uint32_t i = 100; i < 300; ++i) put(i);
  for (int i = 0; i < 1000 && writer.health().ok; ++i) {
    EXPECT_FALSE(writer.flush(std::chrono::milliseconds(20)));
  }
  EXPECT_THAT(writer.health().problem,
              StartsWith("The disk of the replay file is full; free some space. 200 of at most"));
  EXPECT_EQ(*store->count({}), 100u) << "what is there can be read";
  EXPECT_TRUE(writer.pending(fixture::id_of(250)));

  FullDisk::is_full = false;
  ASSERT_TRUE(writer.flush(kPatience));
  EXPECT_TRUE(writer.health().ok);
  EXPECT_EQ(*store->count({}), 300u);
  EXPECT_EQ(writer.dropped().records, 0u);
}

TEST_F(SqliteStoreTest, GivesSpaceBackAfterExpiry) {
  fill(5000);
  const auto before = fs::file_size(path());
  {
    const auto store = open();
    while (store->expire(INT64_MAX, 0, 512).value() > 0) continue;
  }
  EXPECT_LT(fs::file_size(path()), before / 2);
}

TEST_F(SqliteStoreTest, ReadsWhileItWrites) {
  const auto store = open();
  std::atomic<bool> is_done = false;
  std::vector<std::thread> readers;
  for (size_t i = 0; i < SqliteStore::kReadersMax + 2; ++i) {
    readers.emplace_back([&] {
      uint64_t seen = 0;
      while (!is_done) {
        const auto count = store->count({});
        ASSERT_TRUE(count) << count.error().message;
        EXPECT_GE(*count, seen);
        seen = *count;
      }
    });
  }
  for (uint32_t i = 0; i < 300; ++i) ASSERT_TRUE(store->write(std::vector{fixture::row(i)}));
  is_done = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(*store->count({}), 300u);
}

// ---- the end of a process under load ------------------------------------------------------------

// Writes records until it is killed; keeps at most one batch waiting, and reports on `out` how many
// records have been ended. Every tenth record is left running.
[[noreturn]] void write_until_killed(const std::string& folder, int out) {
  const SystemClock clock;
  auto store = SqliteStore::open({.folder = folder, .clock = &clock});
  if (!store) ::_exit(1);
  RecordWriter writer(*std::move(store), {.clock = &clock});
  for (uint32_t i = 0;; ++i) {
    writer.begin(fixture::id_of(i), fixture::routing(i));
    if (i % 10 != 0) writer.end(fixture::id_of(i), fixture::terminal(i));
    while (writer.health().queued >= RecordWriter::kBatchRowsMax) std::this_thread::yield();
    if (::write(out, &i, sizeof(i)) != sizeof(i)) ::_exit(2);
  }
}

TEST_F(SqliteStoreTest, AKilledProcessLosesAtMostTheLastBatch) {
  constexpr uint32_t kRecords = 3000;
  constexpr uint32_t kBatchRowsMax = RecordWriter::kBatchRowsMax;
  int ends[2] = {};
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) write_until_killed(folder_.path(), ends[1]);
  ::close(ends[1]);
  uint32_t last = 0;
  while (last < kRecords && ::read(ends[0], &last, sizeof(last)) == sizeof(last)) continue;
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  // What the child reported between the decision and its end.
  uint32_t later = 0;
  while (::read(ends[0], &later, sizeof(later)) == sizeof(later)) last = later;
  ::close(ends[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

  const auto store = open();
  EXPECT_EQ(store->notice(), "") << "the file must not be damaged";
  ASSERT_TRUE(store->close_unfinished(fixture::kStart));
  uint32_t count = 0;
  ASSERT_TRUE(store->scan({}, [&](const Row& row) {
    const uint32_t number = row.summary->turn_index;
    EXPECT_EQ(number, count++) << "records are written in their order";
    const bool is_crashed = row.summary->state == Lifecycle::kAborted;
    EXPECT_EQ(row.summary->terminal_reason, is_crashed ? "crash" : "");
    EXPECT_TRUE(is_crashed || row.summary->state == Lifecycle::kCompleted);
    if (number % 10 == 0) EXPECT_TRUE(is_crashed) << number;
    // An end may be lost with the last batch, and only there.
    if (number % 10 != 0 && is_crashed) EXPECT_GE(number + kBatchRowsMax + 1, last);
  }));
  EXPECT_GE(count + kBatchRowsMax, last + 1);
  EXPECT_GE(last, kRecords);
}

}  // namespace
}  // namespace vsr::store
