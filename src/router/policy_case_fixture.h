#pragma once

// The text form of policy cases (tests/policy/README.md): reads a file into cases and runs one
// against the router. A fault of the file is an error "file:line: what". For tests; one thread.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vsr::router {

struct CaseLine {
  int number = 0;
  std::string word;  // "user"; with "-> " in front for an expectation
  std::string rest;
};

struct PolicyCase {
  std::string file;  // as named in messages
  int line = 0;
  std::string name;
  std::string recipe;        // YAML
  std::string recipe_place;  // "file:line" of it
  std::vector<CaseLine> lines;
};

// `root` is the folder of the repository, for recipe files and for tests/policy/models.yaml.
Result<std::vector<PolicyCase>> read_policy_cases(std::string_view text, const std::string& file,
                                                  const std::string& root);

// Fails the current test at every expectation that does not hold.
void run_policy_case(const PolicyCase& policy_case);

}  // namespace vsr::router
