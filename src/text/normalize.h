#pragma once

// Unicode NFKC with case folding and without invisible characters (NFKC_Casefold): the one form in
// which text is compared, hashed into features and searched. ASCII and ordinary CJK characters are
// copied; only the rest pays for the tables. Pure, thread-safe.

#include <string>
#include <string_view>

namespace vsr::text {

// Replaces `out`. Bytes that are not UTF-8 become U+FFFD. The result is stable:
// normalize(normalize(x)) == normalize(x).
void normalize(std::string_view in, std::string& out);
std::string normalized(std::string_view in);

}  // namespace vsr::text
