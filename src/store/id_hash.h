#pragma once

// Hash of an Id128 for maps. Ids are random, so that their first bytes will do.

#include <cstddef>
#include <cstring>

#include "base/id.h"

namespace vsr::store {

struct IdHash {
  size_t operator()(const Id128& id) const {
    size_t hash = 0;
    std::memcpy(&hash, id.bytes.data(), sizeof(hash));
    return hash;
  }
};

}  // namespace vsr::store
