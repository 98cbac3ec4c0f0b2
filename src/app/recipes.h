#pragma once

// The recipe of the running program: read, checked, swapped in, written back, and the versions
// before it. A recipe that is activated over the API replaces the file it came from, so that the
// next start serves the same; in setup mode it becomes config.yaml of the state folder.
// Thread-safe; one change at a time.

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "app/recipe_versions.h"
#include "config/load.h"
#include "operator/recipes.h"
#include "router/router.h"

namespace vsr::app {

class Recipes final : public operator_api::RecipeKeeper {
 public:
  using ConfigPtr = std::shared_ptr<const config::Config>;
  struct Parts {
    std::string path;  // "" in setup mode
    std::string state_folder;
    std::string shipped_folder;
    const Clock* clock = nullptr;
    // Compiles a recipe. What it returns puts that recipe in use and cannot fail.
    std::function<Result<std::function<void()>>(ConfigPtr)> prepare;
    std::function<Result<std::shared_ptr<const router::Router>>(ConfigPtr)> make_router;
  };
  static constexpr size_t kProbesMax = 5'000;

  explicit Recipes(Parts parts);

  // The recipe at the start; its diagnostics go to standard error. The error is the exit status.
  std::expected<ConfigPtr, int> load();
  // Looks whether the file changed since it was read; if so, or if `force`, reads it again. A
  // broken one leaves the old one in use.
  void reload_if_changed(bool force, std::string_view why);
  std::string path() const;
  // Why the file is not what is in use, "" if it is.
  std::string problem() const;

  Result<operator_api::RunningRecipe> running() override;
  std::expected<operator_api::Activation, operator_api::Refusal> activate(
      std::string_view yaml, std::string_view if_match) override;
  std::expected<operator_api::Activation, operator_api::Refusal> roll_back(
      uint64_t version) override;
  std::vector<operator_api::KeptVersion> versions() override;
  Result<std::string> version_text(uint64_t id) override;
  std::vector<std::pair<std::string, std::string>> shipped() override;
  Result<std::string> shipped_text(std::string_view name) override;
  wire::ApiResult<std::string> run_probes(std::string_view yaml, std::string_view probes) override;

 private:
  std::expected<operator_api::Activation, operator_api::Refusal> put_in_use(
      const std::string& text, std::string_view source);
  std::vector<std::string> notes_for(const config::Config& next) const;
  void keep(std::string_view text, const config::Config& config, std::string_view source);

  // What the rest of the program sees of a change that is done.
  void note(std::string path, ConfigPtr config, std::string problem);
  ConfigPtr config() const;

  const Parts parts_;

  // Held for a whole change, which may compile for seconds; guards these and the files.
  std::mutex change_mutex_;
  int64_t changed_at_ = 0;
  ConfigPtr first_;  // of the start: what listeners and stores were opened by
  RecipeVersions versions_;

  // Held for a copy only: an event loop asks for these.
  mutable std::mutex mutex_;
  std::string path_;
  std::string problem_;
  ConfigPtr config_;  // in use; null in setup mode
};

}  // namespace vsr::app
