#include "config/yaml.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "config/emit.h"

namespace vsr::config {
namespace {

std::string errors_of(std::string_view text) {
  Diagnostics out("f");
  const Document document = parse_yaml(text, out);
  const std::vector<Diagnostic> list = out.take();
  EXPECT_EQ(document.root() == nullptr && !text.empty(), !list.empty()) << text;
  std::string all;
  for (const Diagnostic& diagnostic : list) all += format(diagnostic) + "\n";
  return all;
}

TEST(Yaml, PositionsOfKeysAndValues) {
  Diagnostics out("f");
  const Document document = parse_yaml("a:\n  - b: 'x'\n    c: [1, ü2, z]\n", out);
  const Node* item = document.root()->find("a")->items[0];
  EXPECT_EQ(item->entries[0].position.line, 2);
  EXPECT_EQ(item->entries[0].position.column, 5);
  EXPECT_EQ(item->find("b")->position.column, 8);
  EXPECT_FALSE(item->find("b")->plain);
  // Columns count characters, not bytes.
  EXPECT_EQ(item->find("c")->items[2]->position.column, 16);
  EXPECT_FALSE(out.has_errors());
}

TEST(Yaml, AliasesAndMergeKeys) {
  Diagnostics out("f");
  const Document document = parse_yaml(
      "base: &base {a: 1, b: 2}\n"
      "more: &more {b: 3, c: 4}\n"
      "one: {<<: *base, b: 5}\n"
      "two: {<<: [*base, *more], d: *base}\n"
      "quoted: {'<<': 6}\n",
      out);
  const Node& root = *document.root();
  EXPECT_EQ(root.find("one")->find("a")->text, "1");
  EXPECT_EQ(root.find("one")->find("b")->text, "5");
  EXPECT_EQ(root.find("two")->find("b")->text, "2");
  EXPECT_EQ(root.find("two")->find("c")->text, "4");
  EXPECT_EQ(root.find("two")->find("d"), root.find("base"));
  EXPECT_EQ(root.find("quoted")->find("<<")->text, "6");
  EXPECT_FALSE(out.has_errors());
}

TEST(Yaml, NothingHasManySpellings) {
  Diagnostics out("f");
  const Document document = parse_yaml("{a: ~, b: null, c: , d: '', e: 'null'}", out);
  const Node& root = *document.root();
  for (const char* key : {"a", "b", "c"}) EXPECT_TRUE(root.find(key)->is_null()) << key;
  for (const char* key : {"d", "e"}) EXPECT_FALSE(root.find(key)->is_null()) << key;
}

TEST(Yaml, DepthIsLimited) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(errors_of(nested(kYamlDepthMax - 1)), "");
  EXPECT_EQ(errors_of(nested(kYamlDepthMax + 1)), "f:1:65: error: nested deeper than 64 levels\n");
  EXPECT_EQ(errors_of(nested(100'000)), "f:1:65: error: nested deeper than 64 levels\n");
  // Also when aliases make the depth.
  std::string chain = "- &a0 " + nested(20) + "\n";
  for (int i = 1; i < 5; ++i) {
    chain += fmt::format("- &a{} [[[[[[[[[[[[[[[*a{}]]]]]]]]]]]]]]]\n", i, i - 1);
  }
  EXPECT_NE(errors_of(chain).find("nested deeper than 64 levels"), std::string::npos);
}

TEST(Yaml, AliasBombIsRefused) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i,
                        i - 1);
  }
  EXPECT_NE(errors_of(bomb).find("more than 500000 values once aliases are followed"),
            std::string::npos);
}

TEST(Yaml, MergedKeysAreLimited) {
  std::string text = "base: &b\n";
  for (int i = 0; i < 1'000; ++i) text += fmt::format("  k{}: 1\n", i);
  text += "list:\n";
  for (int i = 0; i < 600; ++i) text += "  - {<<: *b}\n";
  EXPECT_NE(errors_of(text).find("more than 500000"), std::string::npos);
}

TEST(Yaml, SizeIsLimited) {
  const std::string line = "# a comment that fills the file\n";
  std::string text = "a: 1\n";
  while (text.size() + line.size() <= kYamlBytesMax) text += line;
  EXPECT_EQ(errors_of(text), "");
  text += line + line;
  EXPECT_EQ(errors_of(text), fmt::format("f: error: the file has {} bytes; a recipe may have {}\n",
                                         text.size(), kYamlBytesMax));
}

TEST(Yaml, OnlyText) {
  EXPECT_EQ(errors_of(std::string_view("a: \0b", 5)),
            "f:1:4: error: byte 0x00 is not text; a recipe is UTF-8 without control characters\n");
  EXPECT_EQ(errors_of("a: 1\nb: \xff"),
            "f:2:4: error: byte 0xff is not text; a recipe is UTF-8 without control characters\n");
  for (const char* bad : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x1b"}) {
    EXPECT_NE(errors_of(bad).find("is not text"), std::string::npos) << bad;
  }
  EXPECT_EQ(errors_of("a: 你好 \xf0\x9f\x98\x80\r\n"), "");
}

TEST(Yaml, EveryPrefixIsReadOrRefused) {
  const std::string_view text =
      "a: &x {b: [1, 'two', \"thr\\u00e9e\"]}\nc: |\n  text\n  more\nd: {<<: *x, e: >-\n f\n }\n";
  for (size_t length = 0; length <= text.size(); ++length) {
    Diagnostics out("f");
    const Document document = parse_yaml(text.substr(0, length), out);
    if (document.root() == nullptr && length > 0) EXPECT_TRUE(out.has_errors()) << length;
  }
}

TEST(Yaml, EmittedTextReadsBack) {
  const std::string_view texts[] = {
      "plain",        "",      "yes",   "null",   "~",      "12",      "-3.5",      "1e3",
      "a: b",         "a #b",  "- a",   "[x]",    "{x}",    "it's",    "say \"x\"", "back\\slash",
      "two\nlines\n", "\ttab", " lead", "trail ", "*alias", "&anchor", "!tag",      "%d",
      "@at",          "`tick", "?",     "a:",     "0x1f",   "你好",    "=",         "<<",
  };
  Document document;
  Node* list = document.make(NodeKind::kSequence, {});
  Node* map = document.make(NodeKind::kMapping, {});
  for (const std::string_view text : texts) {
    Node* node = document.make(NodeKind::kScalar, {});
    node->text = text;
    node->plain = false;
    list->items.push_back(node);
    map->entries.push_back({std::string(text), {}, node, false});
  }
  Node* root = document.make(NodeKind::kMapping, {});
  root->entries.push_back({"list", {}, list, false});
  root->entries.push_back({"map", {}, map, false});
  const std::string yaml = emit_yaml(*root);
  Diagnostics out("f");
  const Document again = parse_yaml(yaml, out);
  ASSERT_NE(again.root(), nullptr) << yaml << format_all(out.take());
  ASSERT_EQ(again.root()->find("list")->items.size(), std::size(texts));
  for (size_t i = 0; i < std::size(texts); ++i) {
    EXPECT_EQ(again.root()->find("list")->items[i]->text, texts[i]);
    EXPECT_FALSE(again.root()->find("list")->items[i]->is_null());
    EXPECT_EQ(again.root()->find("map")->entries[i].key, texts[i]);
  }
}

}  // namespace
}  // namespace vsr::config
