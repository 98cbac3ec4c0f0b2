#include "sim/journal.h"

#include "sim/bytes.h"

namespace vsr::sim {

uint64_t Journal::add(SeenRequest request) {
  request.number = next_++;
  bytes_ += request.body.size();
  requests_.push_back(std::move(request));
  while (requests_.size() > kRequestsKeptMax ||
         (bytes_ > kRequestBytesKeptMax && requests_.size() > 1)) {
    bytes_ -= requests_.front().body.size();
    requests_.pop_front();
    ++dropped_;
  }
  return requests_.back().number;
}

void Journal::set_aborted(uint64_t number, int64_t after_ms) {
  // Numbers are consecutive, so a kept request is found by its distance from the oldest.
  if (requests_.empty() || number < requests_.front().number) return;
  const size_t index = number - requests_.front().number;
  if (index >= requests_.size()) return;
  requests_[index].aborted = true;
  requests_[index].aborted_after_ms = after_ms;
}

void Journal::clear() {
  requests_.clear();
  bytes_ = 0;
  dropped_ = 0;
}

void Journal::write(json::JsonWriter& writer) const {
  writer.begin_object().key("requests").begin_array();
  for (const SeenRequest& request : requests_) {
    writer.begin_object().field("method", request.method).field("path", request.path);
    writer.key("headers").begin_object();
    for (const auto& [name, value] : request.headers) writer.field(name, value);
    writer.end_object();
    if (is_utf8(request.body)) {
      writer.field("body", request.body);
    } else {
      writer.field("body_base64", base64(request.body));
    }
    writer.field("received_unix_ms", request.received_unix_ms);
    writer.field("aborted", request.aborted);
    if (request.aborted) writer.field("aborted_after_ms", request.aborted_after_ms);
    writer.end_object();
  }
  writer.end_array().field("dropped", dropped_).end_object();
}

}  // namespace vsr::sim
