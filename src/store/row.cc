#include "store/row.h"

namespace vsr::store {

void fill_texts(Row& row, const Row& other) {
  if (!row.routing) row.routing = other.routing;
  if (!row.prompt) row.prompt = other.prompt;
  if (!row.request_body) row.request_body = other.request_body;
  if (!row.terminal) row.terminal = other.terminal;
  if (!row.response_body) row.response_body = other.response_body;
}

size_t text_bytes(const Row& row) {
  size_t sum = 0;
  for (const Text* text :
       {&row.routing, &row.prompt, &row.request_body, &row.terminal, &row.response_body}) {
    if (*text) sum += (*text)->size();
  }
  return sum;
}

std::shared_ptr<const Summary> crashed(const Summary& summary, UnixMillis now) {
  auto ended = std::make_shared<Summary>(summary);
  ended->state = Lifecycle::kAborted;
  ended->terminal_reason = kCrashReason;
  ended->ended_at = now;
  return ended;
}

}  // namespace vsr::store
