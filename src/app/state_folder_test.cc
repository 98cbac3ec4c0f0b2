#include "app/state_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "json/value.h"
#include "store/temporary_folder.h"

namespace vsr::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string read(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(StateFolder, TheRunFileSaysWhereTheProgramListens) {
  const store::fixture::TemporaryFolder folder;
  const auto state = StateFolder::open(folder.path() + "/new/one");
  ASSERT_TRUE(state) << state.error().message;
  const std::string file = folder.path() + "/new/one/run.json";
  state->write_run_file({.version = "1.2",
                         .config = "/recipe.yaml",
                         .listener_ports = {8899, 8900},
                         .operator_address = "127.0.0.1",
                         .operator_port = 8700});
  const json::Value run = json::Value::parse(read(file)).value();
  EXPECT_EQ(run["pid"].as_int(), getpid());
  EXPECT_EQ(run["version"].as_string(), "1.2");
  EXPECT_EQ(run["config"].as_string(), "/recipe.yaml");
  ASSERT_EQ(run["listeners"].size(), 2U);
  EXPECT_EQ(run["listeners"][size_t{1}]["port"].as_int(), 8900);
  EXPECT_EQ(run["operator"]["address"].as_string(), "127.0.0.1");
  EXPECT_EQ(run["operator"]["port"].as_int(), 8700);
  EXPECT_FALSE(fs::exists(file + ".new"));
  state->remove_run_file();
  EXPECT_FALSE(fs::exists(file));
}

TEST(StateFolder, TheTokenIsMadeOnceAndForItsOwnerOnly) {
  unsetenv("VLLM_SR_ADMIN_TOKEN");
  const store::fixture::TemporaryFolder folder;
  const auto state = StateFolder::open(folder.path());
  ASSERT_TRUE(state);
  bool is_new = false;
  const std::string token = state->admin_token(is_new);
  EXPECT_TRUE(is_new);
  EXPECT_EQ(token.size(), 32U);
  struct stat info{};
  ASSERT_EQ(stat(state->admin_token_file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(state->admin_token(is_new), token);
  EXPECT_FALSE(is_new);
  setenv("VLLM_SR_ADMIN_TOKEN", "given", 1);
  EXPECT_EQ(state->admin_token(is_new), "given");
  EXPECT_FALSE(is_new);
  unsetenv("VLLM_SR_ADMIN_TOKEN");
  EXPECT_EQ(state->admin_token(is_new), token);
}

TEST(StateFolder, AFolderThatCannotBeMadeSaysSo) {
  const store::fixture::TemporaryFolder folder;
  std::ofstream(folder.file("file")) << "x";
  const auto state = StateFolder::open(folder.file("file") + "/below");
  ASSERT_FALSE(state);
  EXPECT_THAT(state.error().message, HasSubstr("--state-dir"));
}

}  // namespace
}  // namespace vsr::app
