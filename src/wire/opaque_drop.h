#pragma once

// Removes opaque items from messages as whole blocks: the part of a content array, the entry of a
// list of thinking blocks or reasoning details, the field that carries a thought signature. Tool
// calls themselves always stay. Pure.

#include <cstdint>
#include <span>

#include "json/arena.h"
#include "json/reader.h"
#include "json/splice.h"
#include "wire/chat_request.h"
#include "wire/conversation.h"

namespace vsr::wire {

// Only messages from index `first` on are edited. Content of which nothing is left becomes "".
void drop_opaque(const ChatRequest& request, std::span<const ProviderState> drop, int32_t first,
                 json::Reader& reader, json::Arena& arena, json::Splicer& splicer);

}  // namespace vsr::wire
