#include "app/embedded_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "store/temporary_folder.h"

namespace vsr::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Backoff, DoublesToItsMaximumAndStartsOverAfterAGoodRun) {
  Backoff backoff;
  for (const int rest : {500, 1000, 2000, 4000, 8000, 16'000, 30'000, 30'000}) {
    EXPECT_EQ(backoff.next(seconds(1)), milliseconds(rest));
  }
  EXPECT_EQ(backoff.next(seconds(60)), Backoff::kMax) << "not longer than kHealthyAfter";
  EXPECT_EQ(backoff.next(seconds(61)), Backoff::kMin);
  EXPECT_EQ(backoff.next(seconds(1)), Backoff::kMin * 2);
}

TEST(EmbeddedBackend, WithoutAFolderItSaysHowToGetOne) {
  const auto started = EmbeddedBackend::start({});
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("scripts/setup backend"));
  EXPECT_THAT(started.error().message, HasSubstr("--backend none"));
}

TEST(EmbeddedBackend, CommandNamesHostPortAndModel) {
  EmbeddedOptions options;
  options.folder = "/opt/backend";
  options.port = 9001;
  EXPECT_THAT(embedded_command(options).argv,
              ElementsAre("python3", "/opt/backend/backend.py", "--host", "127.0.0.1", "--port",
                          "9001", "--die-with-parent"));
  options.model_path = "/models/m.gguf";
  options.log_file = "/tmp/backend.log";
  const ChildOptions command = embedded_command(options);
  EXPECT_THAT(command.argv, testing::Contains("/models/m.gguf"));
  EXPECT_EQ(command.log_file, "/tmp/backend.log");
}

TEST(EmbeddedBackend, FindsItsFolder) {
  const store::fixture::TemporaryFolder folder;
  const auto make = [&](const std::string& path) {
    std::filesystem::create_directories(folder.file(path));
    std::ofstream(folder.file(path) + "/backend.py") << "";
    return folder.file(path);
  };
  const std::string program = folder.file("prefix/bin/vllm-sr");
  EXPECT_EQ(find_backend_folder("", program), "");
  const std::string built = make("prefix/backend");
  EXPECT_EQ(find_backend_folder("", program), built);
  const std::string installed = make("prefix/share/vllm-sr/backend");
  EXPECT_EQ(find_backend_folder("", program), installed);
  const std::string named = make("elsewhere");
  EXPECT_EQ(find_backend_folder(named, program), named);
  EXPECT_EQ(find_backend_folder(folder.file("nowhere"), program), "")
      << "a folder that is named and wrong is not replaced by another";
}

// The program tells us through a fifo, in place of a model, that it runs.
class FakeBackend : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(mkfifo(fifo_.c_str(), 0600), 0);
    options_.folder = folder_.path();
    options_.model_path = fifo_;
    options_.log_file = folder_.file("log");
  }
  void program(const std::string& after) {
    std::ofstream(folder_.file("backend.py"))
        << "import os, sys, time\n"
           "with open(sys.argv[sys.argv.index('--model-path') + 1], 'w') as out:\n"
           "    out.write(str(os.getpid()))\n"
        << after << "\n";
  }
  // Blocks until it has started once more; its pid.
  int started() const {
    std::ifstream in(fifo_);
    int pid = 0;
    in >> pid;
    return pid;
  }

  store::fixture::TemporaryFolder folder_;
  const std::string fifo_ = folder_.file("fifo");
  EmbeddedOptions options_;
};

TEST_F(FakeBackend, RunsUntilItsOwnerEnds) {
  program("time.sleep(100)");
  auto backend = EmbeddedBackend::start(options_);
  ASSERT_TRUE(backend) << backend.error().message;
  const int pid = started();
  // The program may be faster than the note about it.
  const auto deadline = std::chrono::steady_clock::now() + seconds(10);
  while (!(*backend)->status().running && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  const EmbeddedStatus status = (*backend)->status();
  EXPECT_TRUE(status.running);
  EXPECT_EQ(status.pid, pid);
  EXPECT_EQ(status.restarts, 0U);
  EXPECT_EQ(status.last_problem, "");
  backend->reset();
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST_F(FakeBackend, IsStartedAgainWhenItEnds) {
  program("print('out of memory'); sys.exit(3)");
  const auto begun = std::chrono::steady_clock::now();
  auto backend = EmbeddedBackend::start(options_);
  ASSERT_TRUE(backend) << backend.error().message;
  const int first = started();
  const int second = started();
  EXPECT_GE(std::chrono::steady_clock::now() - begun, Backoff::kMin);
  EXPECT_NE(first, second);
  const EmbeddedStatus status = (*backend)->status();
  EXPECT_GE(status.restarts, 1U);
  EXPECT_THAT(status.last_problem, HasSubstr("ended with status 3"));
  EXPECT_THAT(status.last_problem, HasSubstr(options_.log_file));
  std::ifstream log(options_.log_file);
  EXPECT_THAT(std::string((std::istreambuf_iterator<char>(log)), {}), HasSubstr("out of memory"));
}

TEST_F(FakeBackend, StopsAtOnceDuringARest) {
  program("sys.exit(1)");
  auto backend = EmbeddedBackend::start(options_);
  ASSERT_TRUE(backend) << backend.error().message;
  started();
  const auto begun = std::chrono::steady_clock::now();
  backend->reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, Backoff::kMax);
}

}  // namespace
}  // namespace vsr::app
