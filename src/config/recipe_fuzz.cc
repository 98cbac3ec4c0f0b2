// Any bytes load or are refused with diagnostics; what loads shows as a recipe of the same policy;
// migration and redaction stop at nothing.

#include "base/check.h"
#include "config/load.h"
#include "config/migrate.h"
#include "config/show.h"
#include "config/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vsr::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const LoadOptions options{.environment = [](std::string_view name) {
    return name.size() % 2 == 0 ? std::optional<std::string>("8000") : std::nullopt;
  }};
  const LoadResult result = load_text(text, "fuzz", options);
  VSR_CHECK((result.config == nullptr) == has_errors(result.diagnostics));
  (void)restore_redacted(redact_yaml(text), text);
  migrate(text, "fuzz");
  if (!result.config) return 0;
  const ShowResult shown = show_effective(text, "fuzz", options);
  if (shown.yaml.size() > kYamlBytesMax) return 0;
  const LoadResult again = load_text(shown.yaml, "shown", options);
  VSR_CHECK(again.config != nullptr, "{}\n{}", shown.yaml, format_all(again.diagnostics));
  VSR_CHECK(again.config->hash == result.config->hash, "{}\n{}", text, shown.yaml);
  return 0;
}
