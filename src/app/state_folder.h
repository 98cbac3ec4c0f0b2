#pragma once

// The state folder of one running router: its lock, the admin token and the file that says where it
// listens. Held for the life of the object; one thread.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/file_lock.h"

namespace vsr::app {

// What run.json tells commands of the running program.
struct RunFile {
  std::string version;
  std::string config;                    // path of the recipe, "" in setup mode
  std::vector<uint16_t> listener_ports;  // of the API
  std::string operator_address;
  uint16_t operator_port = 0;
};

class StateFolder {
 public:
  // Makes the folder and takes its lock. A router that is ending is waited for, two seconds at
  // most. The error says what to do.
  static Result<StateFolder> open(const std::string& path);

  // Of the environment, or kept in the folder; `is_new`: made by this call.
  std::string admin_token(bool& is_new) const;
  std::string admin_token_file() const { return path_ + "/admin-token"; }

  void write_run_file(const RunFile& run) const;
  void remove_run_file() const;

 private:
  StateFolder(std::string path, store::FileLock lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  store::FileLock lock_;
};

}  // namespace vsr::app
