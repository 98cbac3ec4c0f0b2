#pragma once

// Bytes as text in the alphabet of RFC 4648, section 4, with padding. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace vsr {

std::string to_base64(std::string_view bytes);
// Nothing if `text` is not what to_base64 writes.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace vsr
