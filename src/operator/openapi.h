#pragma once

// The description of this API: openapi.json of this folder, as the program carries it.

#include <string>
#include <string_view>

namespace vsr::operator_api {

std::string_view openapi_json();

// The same for people: one page without scripts or anything from elsewhere.
std::string openapi_page();

}  // namespace vsr::operator_api
