#include "app/state_folder.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/id.h"
#include "json/writer.h"

namespace vsr::app {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds kEndingWait{2'000};
constexpr std::chrono::milliseconds kPoll{50};

std::string run_file_of(const std::string& folder) { return folder + "/run.json"; }

}  // namespace

Result<StateFolder> StateFolder::open(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    return fail(ErrorCode::kInternal,
                fmt::format("cannot make the state folder {}: {}; choose another with --state-dir",
                            path, error.message()));
  }
  const std::string file = path + "/run.lock";
  auto lock = store::FileLock::acquire(file);
  // run.json and the records are of one router. One that is ending has taken its run.json away and
  // lets go soon.
  for (auto waited = kPoll; !lock && lock.error().code == ErrorCode::kAlreadyExists &&
                            waited <= kEndingWait && !fs::exists(run_file_of(path), error);
       waited += kPoll) {
    poll(nullptr, 0, static_cast<int>(kPoll.count()));
    lock = store::FileLock::acquire(file);
  }
  if (!lock) {
    const bool is_held = lock.error().code == ErrorCode::kAlreadyExists;
    return fail(lock.error().code,
                fmt::format("{}{} ({}--state-dir names another folder)",
                            is_held ? "another vllm-sr runs: " : "", lock.error().message,
                            is_held ? "`vllm-sr stop` ends it, " : ""));
  }
  return StateFolder(path, std::move(*lock));
}

std::string StateFolder::admin_token(bool& is_new) const {
  is_new = false;
  if (const char* given = std::getenv("VLLM_SR_ADMIN_TOKEN"); given != nullptr && *given != '\0') {
    return given;
  }
  std::string token;
  std::ifstream in(admin_token_file());
  std::getline(in, token);
  if (!token.empty()) return token;
  is_new = true;
  token = random_id().hex();
  const mode_t before = umask(0077);
  std::ofstream(admin_token_file()) << token << '\n';
  umask(before);
  return token;
}

void StateFolder::write_run_file(const RunFile& run) const {
  json::JsonWriter w;
  w.begin_object();
  w.field("pid", static_cast<int64_t>(getpid()));
  w.field("version", run.version);
  w.field("config", run.config);
  w.key("listeners").begin_array();
  for (const uint16_t port : run.listener_ports) {
    w.begin_object().field("port", static_cast<int64_t>(port)).end_object();
  }
  w.end_array();
  w.key("operator").begin_object();
  w.field("address", run.operator_address).field("port", static_cast<int64_t>(run.operator_port));
  w.end_object().end_object();
  const std::string fresh = run_file_of(path_) + ".new";
  std::ofstream(fresh) << w.take() << '\n';
  std::error_code error;
  fs::rename(fresh, run_file_of(path_), error);
}

void StateFolder::remove_run_file() const {
  std::error_code error;
  fs::remove(run_file_of(path_), error);
}

}  // namespace vsr::app
