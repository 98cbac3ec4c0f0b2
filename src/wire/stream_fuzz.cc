// Any bytes as the payloads of an answer's stream, one per line, and as a whole body. What is
// captured stays inside the limits.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "wire/response.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vsr::wire;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  ObserverLimits limits;
  limits.text_bytes_max = 64;
  limits.arguments_bytes_max = 32;
  vsr::json::Reader reader;
  (void)observe_body(reader, text, limits);
  StreamObserver observer(limits);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    observer.on_data(reader, line);
  }
  const Observation& seen = observer.result();
  size_t arguments = 0;
  for (const ObservedToolCall& call : seen.tool_calls) arguments += call.arguments.size();
  VSR_CHECK(seen.text.size() <= 64 && seen.reasoning.size() <= 64, "too much text was kept");
  VSR_CHECK(arguments <= 32, "{} bytes of arguments were kept", arguments);
  VSR_CHECK(seen.tool_calls.size() <= kObservedToolCallsMax, "too many calls were kept");
  VSR_CHECK(seen.bad_chunks <= seen.chunks, "chunks were miscounted");
  return 0;
}
