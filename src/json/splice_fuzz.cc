// Any bytes: the walk and the tree agree on what is an object, and every edit of an object gives
// one that parses to the expected tree.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "json/splice.h"
#include "json/value.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vsr::json;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tree = Value::parse(text);

  Reader reader;
  reader.open(text);
  reader.skip_checked();
  const bool checked = reader.at_end();
  // The tree also refuses bad escapes and numbers out of range.
  VSR_CHECK(checked || !tree, "the tree accepts what the walk refuses");
  if (!tree) return 0;
  VSR_CHECK(Value::parse(tree->dump()).has_value(), "what was written does not parse");
  if (!tree->is_object()) return 0;

  Arena arena;
  reader.rewind();
  const uint32_t start = reader.offset();
  const auto fields = read_fields(reader, arena);
  VSR_CHECK(reader.at_end() && fields.size() == tree->size(), "the walk misses a field");
  const auto end = static_cast<uint32_t>(text.find_last_of('}')) + 1;

  ObjectEditor editor({start, end - start}, fields);
  editor.set("model", "\"m\"");
  if (!fields.empty()) editor.remove(fields[size % fields.size()].key);
  Splicer splicer(text);
  editor.apply(splicer);
  const std::string joined = splicer.joined();
  VSR_CHECK(joined.size() == splicer.size(), "the size is wrong");
  const auto edited = Value::parse(joined);
  VSR_CHECK(edited.has_value(), "an edit broke the object");
  for (const auto& [key, value] : tree->fields()) {
    if (key == "model" || key == fields[size % fields.size()].key) continue;
    VSR_CHECK(edited->find(key) != nullptr && *edited->find(key) == *tree->find(key),
              "a field changed");
  }
  return 0;
}
