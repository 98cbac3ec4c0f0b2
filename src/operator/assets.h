#pragma once

// The dashboard's files, as the build packed them into the program (scripts/pack_assets.py).
// Immutable views into the program's image; none when it was built without the dashboard.

#include <string_view>

#include "base/strings.h"

namespace vsr::operator_api {

struct Asset {
  std::string_view content_type;
  std::string_view digest;  // of the plain bytes
  std::string_view gzip;    // empty: not there in this coding
  std::string_view plain;
};

class Assets {
 public:
  // Of a packed file; a broken one has none.
  explicit Assets(std::string_view packed);
  // Those of this program.
  static Assets embedded();

  bool empty() const { return files_.empty(); }
  // Of a path such as /assets/index-1a2b.js; null if there is none.
  const Asset* find(std::string_view path) const;

 private:
  StringMap<Asset> files_;
};

// Whether `accept-encoding` lets an answer be gzipped; without the header anything goes.
bool takes_gzip(std::string_view accept_encoding);

}  // namespace vsr::operator_api
