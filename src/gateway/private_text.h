#pragma once

// The stored form of a private text: every place where a detected value stands is marked for
// replacement, not only those where it was detected. Pure. Time n log v for a text of n bytes and v
// values, whose common beginnings are compared anew at each byte.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/record.h"

namespace vsr::gateway {

using PrivateValues = std::vector<std::pair<std::string, std::string>>;  // type, value

// Which value begins at a place of a text.
class ValueIndex {
 public:
  // `values` must outlive this.
  explicit ValueIndex(const PrivateValues& values);

  // The longest value that `rest` begins with, as an index into `values`; -1 for none.
  int32_t longest_at(std::string_view rest);
  // Comparisons of strings so far, for tests.
  uint64_t comparisons() const { return comparisons_; }

 private:
  struct Entry {
    std::string_view value;
    int32_t index;
    int32_t shorter;  // entry of the longest other value that this one begins with; -1: none
  };
  std::vector<Entry> sorted_;
  bool begins_[256] = {};
  uint64_t comparisons_ = 0;
};

// `values` are those found in `text`; where there are none, the scan stays kNone and the store
// withholds the text.
store::TextField private_text(std::string_view text, const PrivateValues& values, size_t bytes_max);

// At most `bytes_max` bytes, not cut in the middle of a character.
store::TextField plain_text(std::string_view text, size_t bytes_max);

}  // namespace vsr::gateway
