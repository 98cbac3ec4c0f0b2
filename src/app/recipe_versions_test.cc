#include "app/recipe_versions.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "store/temporary_folder.h"

namespace vsr::app {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 ? info.st_mode & 0777 : 0;
}

TEST(RecipeVersionsTest, KeepsTheNewestAndTheTenBefore) {
  const store::fixture::TemporaryFolder folder;
  RecipeVersions versions(folder.path() + "/recipes");
  EXPECT_TRUE(versions.list().empty());
  for (int i = 1; i <= 15; ++i) {
    const auto id = versions.keep("text " + std::to_string(i), "p" + std::to_string(i), "put");
    ASSERT_TRUE(id) << id.error().message;
    EXPECT_EQ(*id, static_cast<uint64_t>(i));
  }
  const auto kept = versions.list();
  ASSERT_EQ(kept.size(), RecipeVersions::kVersionsKept);
  EXPECT_EQ(kept.front().id, 15U);
  EXPECT_EQ(kept.front().policy, "p15");
  EXPECT_EQ(kept.front().source, "put");
  EXPECT_EQ(kept.back().id, 5U);
  EXPECT_EQ(versions.text(5).value_or(""), "text 5");
  const auto gone = versions.text(4);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().message, "there is no version 4; the 11 newest are kept");
}

TEST(RecipeVersionsTest, TheSameTextIsOneVersion) {
  const store::fixture::TemporaryFolder folder;
  RecipeVersions versions(folder.path());
  EXPECT_EQ(versions.keep("a", "p", "start").value_or(0), 1U);
  EXPECT_EQ(versions.keep("a", "p", "start").value_or(0), 1U);
  EXPECT_EQ(versions.keep("b", "p", "file").value_or(0), 2U);
  EXPECT_EQ(versions.keep("a", "p", "rollback").value_or(0), 3U);
}

TEST(RecipeVersionsTest, OtherFilesOfTheFolderAreLeftAlone) {
  const store::fixture::TemporaryFolder folder;
  for (const char* name : {"notes.yaml", "x-y-z.yaml", "1-2.yaml", "000001-p-put.txt"}) {
    std::ofstream(folder.path() + "/" + name) << "mine";
  }
  RecipeVersions versions(folder.path());
  EXPECT_TRUE(versions.list().empty());
  EXPECT_EQ(versions.keep("a", "p", "put").value_or(0), 1U);
  EXPECT_TRUE(fs::exists(folder.path() + "/notes.yaml"));
}

TEST(RecipeVersionsTest, ReplaceKeepsTheModeAndLeavesNothingHalfWritten) {
  const store::fixture::TemporaryFolder folder;
  const std::string path = folder.path() + "/recipe.yaml";
  ASSERT_TRUE(replace_file(path, "one"));
  EXPECT_EQ(mode_of(path), 0600U);
  fs::permissions(path, fs::perms(0644));
  ASSERT_TRUE(replace_file(path, "two"));
  EXPECT_EQ(mode_of(path), 0644U);
  const Status lost = replace_file(folder.path() + "/no/such/recipe.yaml", "x");
  ASSERT_FALSE(lost);
  EXPECT_NE(lost.error().message.find("cannot write"), std::string::npos);
  EXPECT_FALSE(fs::exists(path + ".new"));
}

}  // namespace
}  // namespace vsr::app
