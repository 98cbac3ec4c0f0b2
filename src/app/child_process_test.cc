#include "app/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "store/temporary_folder.h"

namespace vsr::app {
namespace {

constexpr std::chrono::milliseconds kLong{20'000};

ChildOptions shell(const std::string& script, const std::string& log = "") {
  return {.argv = {"sh", "-c", script}, .environment = {}, .log_file = log};
}

std::string content(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(ChildProcess, GivesTheStatusOfAShell) {
  struct Case {
    const char* script;
    int status;
  };
  const Case cases[] = {
      {"exit 0", 0}, {"exit 7", 7}, {"kill -KILL $$", 128 + SIGKILL}, {"kill -TERM $$", 143}};
  for (const Case& c : cases) {
    auto child = ChildProcess::start(shell(c.script));
    ASSERT_TRUE(child) << child.error().message;
    EXPECT_GT(child->pid(), 0);
    EXPECT_EQ(child->wait(kLong), c.status) << c.script;
    EXPECT_EQ(child->wait(std::chrono::milliseconds(0)), c.status) << "asked again";
  }
}

TEST(ChildProcess, WritesBothStreamsToTheEndOfTheLog) {
  const store::fixture::TemporaryFolder folder;
  const std::string log = folder.file("log");
  for (const char* script : {"echo one; echo two >&2", "echo three"}) {
    auto child = ChildProcess::start(shell(script, log));
    ASSERT_TRUE(child) << child.error().message;
    ASSERT_EQ(child->wait(kLong), 0);
  }
  EXPECT_EQ(content(log), "one\ntwo\nthree\n");
}

TEST(ChildProcess, HasItsOwnVariablesInPlaceOfOurs) {
  const store::fixture::TemporaryFolder folder;
  const std::string log = folder.file("log");
  setenv("VSR_CHILD_TEST", "ours", 1);
  ChildOptions options = shell("echo $VSR_CHILD_TEST $VSR_CHILD_MORE", log);
  options.environment = {{"VSR_CHILD_TEST", "theirs"}, {"VSR_CHILD_MORE", "added"}};
  auto child = ChildProcess::start(options);
  unsetenv("VSR_CHILD_TEST");
  ASSERT_TRUE(child) << child.error().message;
  ASSERT_EQ(child->wait(kLong), 0);
  EXPECT_EQ(content(log), "theirs added\n");
}

TEST(ChildProcess, ReadsNothingFromOurInput) {
  auto child = ChildProcess::start(shell("read line && exit 1; exit 0"));
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(child->wait(kLong), 0);
}

TEST(ChildProcess, SaysWhyItCannotStart) {
  struct Case {
    const char* name;
    ChildOptions options;
    const char* says;
  };
  const Case cases[] = {
      {"no such program",
       {.argv = {"vsr-no-such-program"}, .environment = {}, .log_file = ""},
       "cannot start vsr-no-such-program: No such file"},
      {"not a program",
       {.argv = {"/etc/passwd"}, .environment = {}, .log_file = ""},
       "cannot start /etc/passwd: Permission denied"},
      {"no such log", shell("exit 0", "/no/such/folder/log"), "cannot write the log /no/such"},
  };
  for (const Case& c : cases) {
    const auto child = ChildProcess::start(c.options);
    ASSERT_FALSE(child) << c.name;
    EXPECT_NE(child.error().message.find(c.says), std::string::npos)
        << c.name << ": " << child.error().message;
  }
}

TEST(ChildProcess, AWaitEndsWhenItIsWoken) {
  auto child = ChildProcess::start(shell("exec sleep 100"));
  ASSERT_TRUE(child) << child.error().message;
  const int wake = eventfd(1, EFD_CLOEXEC);
  EXPECT_EQ(child->wait(kLong, wake), std::nullopt);
  close(wake);
  EXPECT_EQ(child->wait(std::chrono::milliseconds(0)), std::nullopt);
}

TEST(ChildProcess, StopsPolitelyThenForGood) {
  const store::fixture::TemporaryFolder folder;
  const std::string log = folder.file("log");
  auto polite = ChildProcess::start(shell("exec sleep 100"));
  ASSERT_TRUE(polite) << polite.error().message;
  polite->stop(kLong);
  EXPECT_EQ(polite->wait(std::chrono::milliseconds(0)), 128 + SIGTERM);

  const std::string fifo = folder.file("ready");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  auto deaf = ChildProcess::start(
      shell("trap '' TERM; echo ready > " + fifo + "; while :; do sleep 100; done"));
  ASSERT_TRUE(deaf) << deaf.error().message;
  EXPECT_EQ(content(fifo), "ready\n");  // the trap is set
  deaf->stop(std::chrono::milliseconds(10));
  EXPECT_EQ(deaf->wait(std::chrono::milliseconds(0)), 128 + SIGKILL);
}

TEST(ChildProcess, EndsWithItsOwner) {
  int pid = 0;
  {
    auto child = ChildProcess::start(shell("exec sleep 100"));
    ASSERT_TRUE(child) << child.error().message;
    pid = child->pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(ChildProcess, AMovedOneIsOwnedOnce) {
  auto child = ChildProcess::start(shell("exec sleep 100"));
  ASSERT_TRUE(child) << child.error().message;
  const int pid = child->pid();
  ChildProcess owner = std::move(*child);
  EXPECT_EQ(owner.pid(), pid);
  EXPECT_EQ(child->pid(), -1);
  child->stop(kLong);
  EXPECT_EQ(kill(pid, 0), 0);
}

}  // namespace
}  // namespace vsr::app
