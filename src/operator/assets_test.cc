#include "operator/assets.h"

#include <gtest/gtest.h>

namespace vsr::operator_api {
namespace {

TEST(Assets, FilesOfAPack) {
  const Assets assets(
      "/index.html\ttext/html\tabc\tgzip\t0\t3\n"
      "/index.html\ttext/html\tabc\tidentity\t3\t5\n"
      "/a.js\ttext/javascript\tdef\tgzip\t8\t2\n"
      "\nGGGplainjs");
  const Asset* index = assets.find("/index.html");
  ASSERT_NE(index, nullptr);
  EXPECT_EQ(index->gzip, "GGG");
  EXPECT_EQ(index->plain, "plain");
  EXPECT_EQ(index->content_type, "text/html");
  EXPECT_EQ(index->digest, "abc");
  ASSERT_NE(assets.find("/a.js"), nullptr);
  EXPECT_EQ(assets.find("/a.js")->gzip, "js");
  EXPECT_EQ(assets.find("/a.js")->plain, "");
  EXPECT_EQ(assets.find("/b.js"), nullptr);
}

TEST(Assets, NothingOfABrokenPack) {
  for (const std::string_view packed :
       {"", "\n", "no end", "/a\ttype\td\tgzip\t0\t9\n\nshort", "/a\ttype\td\tgzip\t99\t0\n\nshort",
        "/a\ttype\td\tgzip\tx\t1\n\nshort", "/a\ttype\n\nshort"}) {
    EXPECT_TRUE(Assets(packed).empty()) << packed;
  }
}

TEST(Assets, WhoTakesGzip) {
  struct Case {
    const char* header;
    bool takes;
  };
  const Case kCases[] = {
      {"", true},
      {"gzip", true},
      {"br, GZIP;q=0.5", true},
      {"gzip;q=0", false},
      {"identity", false},
      {"*", true},
      {"*;q=0", false},
      {"gzip;q=0, *", false},
      {"br, deflate", false},
      {"gzip ; q=0.000", false},
  };
  for (const Case& one : kCases) EXPECT_EQ(takes_gzip(one.header), one.takes) << one.header;
}

}  // namespace
}  // namespace vsr::operator_api
