// Any bytes are a tree or an error, and a tree that is written out reads back.

#include "base/check.h"
#include "config/emit.h"
#include "config/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vsr::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Diagnostics out("fuzz");
  const Document document = parse_yaml(text, out);
  if (document.root() == nullptr) return 0;
  // Aliases can make the written text far longer than the file.
  const std::string yaml = emit_yaml(*document.root());
  if (yaml.size() > kYamlBytesMax) return 0;
  Diagnostics again_out("again");
  const Document again = parse_yaml(yaml, again_out);
  VSR_CHECK(again.root() != nullptr, "{}\n{}", yaml, format_all(again_out.take()));
  VSR_CHECK(emit_yaml(*again.root()) == yaml, "{}", yaml);
  return 0;
}
