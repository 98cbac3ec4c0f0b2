// Any query string gives either a query within its limits or a message.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "store/filter.h"
#include "store/replay.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto query = vsr::store::parse_replay_query(text);
  if (!query) {
    VSR_CHECK(!query.error().message.empty(), "an error without a message");
    return 0;
  }
  VSR_CHECK(query->limit >= 1 && query->limit <= vsr::store::kListMax, "limit {}", query->limit);
  VSR_CHECK(query->cursor.empty() || query->offset == 0, "cursor and offset together");
  VSR_CHECK(query->to == 0 || query->from < query->to, "an empty range of time");
  const auto filter = vsr::store::make_filter(*query, 0);
  VSR_CHECK(filter.from >= 0 && filter.from < filter.to, "{} to {}", filter.from, filter.to);
  return 0;
}
