#pragma once

// Probe files: example requests with the decision that a recipe should give them. Each runs through
// the code of /api/v1/eval; nothing is sent anywhere. Pure but for the router's thread memory.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "json/value.h"
#include "router/router.h"

namespace vsr::eval {

struct Probe {
  std::string id;  // "decision/variant"
  std::string decision;
  std::string alias;      // "" = any
  std::string algorithm;  // "" = any
  std::vector<std::string> plugins;
  // family → names that must match, and that must not.
  std::map<std::string, std::vector<std::string>> expected_signals;
  std::map<std::string, std::vector<std::string>> forbidden_signals;
  std::vector<std::string> tags;
  std::string body;  // the chat request
};

// The error names the place in the file.
Result<std::vector<Probe>> load_probes(std::string_view yaml, const std::string& filename);

struct ProbeResult {
  bool passed = false;
  std::string got;  // decision and model
  std::string why;  // what was expected and what failed first, "" when passed
};

ProbeResult run_probe(const router::Router& router, const Probe& probe, const Clock& clock);

}  // namespace vsr::eval
