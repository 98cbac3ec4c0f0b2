#pragma once

// Why a recorded request cannot be decided again. The words stand in answers.

#include <string_view>

namespace vsr::counterfactual {

// The record is from before this, or of a request that is not chat.
constexpr std::string_view kNoFacts = "no_facts";
constexpr std::string_view kTooLong = "history_too_long";
// What learning remembered came from requests whose records are not there.
constexpr std::string_view kHistoryMissing = "history_missing";
// An earlier turn of the session cannot be decided again, so what was learned of it is unknown.
constexpr std::string_view kEarlierTurn = "earlier_turn_not_replayable";
// The recipe reads identity from elsewhere, and headers are not stored.
constexpr std::string_view kIdentityChanged = "identity_changed";
// A rule is new or changed, and what it reads…
constexpr std::string_view kTextMissing = "text_missing";
constexpr std::string_view kTextCut = "text_cut";
constexpr std::string_view kTextRedacted = "text_redacted";
constexpr std::string_view kHeadersMissing = "headers_not_stored";

}  // namespace vsr::counterfactual
