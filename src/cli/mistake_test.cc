#include "cli/mistake.h"

#include <gtest/gtest.h>

namespace vsr::cli {
namespace {

class Mistake : public testing::Test {
 protected:
  Mistake() {
    app_.require_subcommand(1);
    CLI::App* eval = app_.add_subcommand("eval", "");
    eval->add_option("--text", text_, "");
    eval->add_option("file", text_, "");
    eval->add_flag("-j,--json", flag_, "");
    CLI::App* replay = app_.add_subcommand("replay", "");
    replay->require_subcommand(1);
    replay->add_subcommand("list", "")->add_option("--limit", text_, "");
    replay->add_subcommand("show", "");
    app_.add_subcommand("sim", "")->group("");
  }

  CLI::App app_{"", "prog"};
  std::string text_;
  bool flag_ = false;
};

TEST_F(Mistake, NamesWhatIsNotThereAndTheNearestThatIs) {
  struct Case {
    std::vector<std::string> words;
    const char* says;
  };
  const Case cases[] = {
      {{}, ""},
      {{"eval"}, ""},
      {{"evla"}, "there is no command evla (did you mean eval?); `prog --help` lists them\n"},
      {{"xylophone"}, "there is no command xylophone; `prog --help` lists them\n"},
      {{"sin"}, "there is no command sin; `prog --help` lists them\n"},
      {{"replay", "lits"},
       "there is no command lits (did you mean list?); `prog replay --help` lists them\n"},
      {{"replay", "list", "--limits", "3"},
       "there is no option --limits (did you mean --limit?); `prog replay list "
       "--help` lists them\n"},
      {{"eval", "--txet=x"},
       "there is no option --txet (did you mean --text?); `prog eval --help` lists them\n"},
      {{"eval", "--text", "--odd"}, ""},
      {{"eval", "--text=--odd", "--json"}, ""},
      {{"eval", "-j", "word"}, ""},
      {{"eval", "-x"}, "there is no option -x; `prog eval --help` lists them\n"},
      {{"eval", "--", "--odd"}, ""},
      {{"eval", "-"}, ""},
      {{"--jsno", "eval"}, "there is no option --jsno; `prog --help` lists them\n"},
      {{"--hlep"}, "there is no option --hlep (did you mean --help?); `prog --help` lists them\n"},
  };
  for (const Case& c : cases) {
    std::string line;
    for (const std::string& word : c.words) line += word + " ";
    EXPECT_EQ(describe_mistake(app_, c.words), c.says) << line;
  }
}

}  // namespace
}  // namespace vsr::cli
