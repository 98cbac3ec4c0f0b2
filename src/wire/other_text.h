#pragma once

// The text in the fields of a request that are forwarded and that nothing else here reads: names,
// metadata, predictions, schemas, attached files, whatever a later API adds. It is read for private
// data alone. Pure; time and memory linear in the fields.

#include <span>
#include <string_view>

#include "json/arena.h"
#include "json/reader.h"

namespace vsr::wire {

// A field as sent. An empty key is not shown to the recognisers: beside the word "key" the most
// harmless identifier looks like a secret.
struct OtherField {
  std::string_view key;    // unescaped
  std::string_view value;  // JSON as sent, or a text
};

// Every string of the values on a line of its own, unescaped, behind the key it stands under; keys
// of objects too. Base64 is decoded where it holds text; images, audio and other bytes are left
// out, and so are numbers inside of values. A value that is no string, array or object of JSON is
// given as it is.
std::string_view text_of(json::Reader& reader, json::Arena& arena,
                         std::span<const OtherField> fields);

}  // namespace vsr::wire
