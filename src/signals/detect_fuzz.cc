// Any bytes: no crash, spans inside the text and in order, and a secret is found whether or not
// personal data is sought beside it.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "signals/detect.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool personal : {true, false}) {
    uint32_t end = 0;
    for (const vsr::signals::Entity& entity :
         vsr::signals::detect_pii(text, {.personal = personal, .secrets = true})) {
      VSR_CHECK(entity.start >= end && entity.end > entity.start && entity.end <= size);
      VSR_CHECK(personal || vsr::signals::is_secret(entity.type));
      end = entity.end;
    }
  }
  return 0;
}
