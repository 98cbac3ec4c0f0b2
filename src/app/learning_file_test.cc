#include "app/learning_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "learning/session_map.h"
#include "router/learning_image.h"
#include "store/temporary_folder.h"

namespace vsr::app {
namespace {

namespace fs = std::filesystem;
using std::chrono_literals::operator""s;

constexpr double kTtl = 86'400;
constexpr uint64_t kCall = 11;
constexpr uint64_t kModel = 22;
const learning::SessionMap::Handle kHandle{.session_key = 7, .conversation_key = 8};

class LearningFileTest : public testing::Test {
 protected:
  double now() const { return static_cast<double>(clock_.unix_ms()) * 1e-3; }
  void note_call(router::LearningState& state) {
    state.sessions.add_owner(kHandle, kCall, kModel, now());
  }
  // The model that made the call, as a process that starts now knows it; 0: nobody.
  uint64_t maker() {
    LearningFile file(folder_.path(), clock_);
    const auto state = file.load(kTtl);
    learning::SessionMap::Handle handle = kHandle;
    learning::Facts facts;
    facts.pending_call_hashes = {&kCall, 1};
    return state->sessions.snapshot({}, handle, facts, now()).owner.model_hash;
  }

  FakeClock clock_;
  store::fixture::TemporaryFolder folder_;
  const std::string path_ = folder_.file("learning.state");
};

TEST_F(LearningFileTest, WhatIsSavedIsThereAtTheNextStart) {
  EXPECT_EQ(maker(), 0);
  EXPECT_FALSE(fs::exists(path_ + ".bad")) << "a file that is missing is nothing bad";
  LearningFile file(folder_.path(), clock_);
  note_call(*file.load(kTtl));
  file.save();
  struct stat info{};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(maker(), kModel);
  clock_.advance(86'401s);
  EXPECT_EQ(maker(), 0);
}

TEST_F(LearningFileTest, IsWrittenInIntervalsAndOnlyWhenSomethingChanged) {
  LearningFile file(folder_.path(), clock_);
  const auto state = file.load(kTtl);
  clock_.advance(LearningFile::kSaveInterval);
  file.save_if_due();
  file.save();
  EXPECT_FALSE(fs::exists(path_)) << "nothing has changed";
  note_call(*state);
  file.save_if_due();
  EXPECT_FALSE(fs::exists(path_)) << "the interval has begun again";
  clock_.advance(LearningFile::kSaveInterval);
  file.save_if_due();
  EXPECT_EQ(maker(), kModel);
  fs::remove(path_);
  clock_.advance(LearningFile::kSaveInterval);
  file.save_if_due();
  EXPECT_FALSE(fs::exists(path_)) << "nothing has changed since";
}

TEST_F(LearningFileTest, AFileThatCannotBeReadIsPutAside) {
  const std::string good = [&] {
    LearningFile file(folder_.path(), clock_);
    note_call(*file.load(kTtl));
    file.save();
    std::ifstream in(path_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }();
  const std::string cases[] = {"", "nonsense", good.substr(0, good.size() - 1), good + "x"};
  for (const std::string& bytes : cases) {
    std::ofstream(path_, std::ios::binary) << bytes;
    EXPECT_EQ(maker(), 0) << bytes.size();
    EXPECT_FALSE(fs::exists(path_));
    EXPECT_EQ(fs::file_size(path_ + ".bad"), bytes.size());
  }
  std::ofstream(path_, std::ios::binary) << good;
  fs::resize_file(path_, router::kLearningImageBytesMax + 1);
  EXPECT_EQ(maker(), 0);
  EXPECT_FALSE(fs::exists(path_));
  fs::create_directory(path_);
  EXPECT_EQ(maker(), 0);
}

TEST_F(LearningFileTest, ADiskThatFailsLeavesTheFileAsItWas) {
  LearningFile file(folder_.path(), clock_);
  const auto state = file.load(kTtl);
  note_call(*state);
  file.save();
  fs::create_directory(path_ + ".new");  // in the way of the next write
  state->sessions.add_owner(kHandle, kCall, kModel + 1, now());
  file.save();
  EXPECT_EQ(maker(), kModel);
  fs::remove(path_ + ".new");
  file.save();  // it was not taken for written
  EXPECT_EQ(maker(), kModel + 1);
}

}  // namespace
}  // namespace vsr::app
