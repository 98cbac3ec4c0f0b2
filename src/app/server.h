#pragma once

// The composition root: a recipe and some options become a running router, which this object owns:
// loops and their threads, listeners, stores, the embedded backend. run() blocks until a signal.
// SIGHUP and a change of the recipe's file reload; SIGTERM and SIGINT drain, the second one ends at
// once.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/models.h"
#include "base/result.h"
#include "config/config.h"

namespace vsr::app {

enum class BackendMode : uint8_t { kEmbedded, kNone };

// "127.0.0.1:8080" or "[::1]:8080".
struct HostPort {
  std::string host;
  uint16_t port = 0;
};
Result<HostPort> parse_host_port(std::string_view text);

struct ServeOptions {
  std::string config;  // "" = setup mode
  std::string listen;  // "A:P" in place of the recipe's listeners; "" = those
  std::string dashboard = "127.0.0.1:8700";
  std::string state_folder;
  std::map<std::string, HostPort> resolve;  // "name:port" → where it is dialled instead
  BackendMode backend = BackendMode::kEmbedded;
  std::string embedded_model;  // path; "" = the one that came with it
  uint16_t embedded_port = 8090;
  std::string backend_folder;  // "" = not installed
  std::string recipes_folder;  // recipes that came with the program
  ModelFiles models;
  std::string version;
  std::optional<config::StoreBackend> replay_store;  // in place of the recipe's
  uint32_t drain_seconds = 30;
  uint32_t threads = 0;  // 0 = one per core
};

// Serves until told to stop. The result is the exit status; problems at the start go to standard
// error with what to do.
int serve(ServeOptions options);

}  // namespace vsr::app
