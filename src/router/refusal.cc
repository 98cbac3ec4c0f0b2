#include "router/refusal.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace vsr::router {

wire::ApiError unknown_model(const config::Config& config, std::string_view requested) {
  std::vector<std::string_view> known(config.auto_names.begin(), config.auto_names.end());
  for (const config::Model& model : config.models) known.push_back(model.name);
  const std::string_view near = nearest(requested, known);
  return {400, "model_not_found", "model",
          fmt::format("there is no model {}{}; /v1/models lists what there is", requested,
                      near.empty() ? "" : fmt::format(" (did you mean {}?)", near))};
}

wire::ApiError cannot_serve(const Decision& decision) {
  const policy::Selection& selection = decision.selection;
  std::string why;
  for (const policy::Dropped& dropped : selection.dropped) {
    if (!why.empty()) why += ", ";
    why += fmt::format("{}: {}", decision.config->models[dropped.model].name,
                       policy::to_string(dropped.reason));
  }
  if (selection.status == policy::SelectionStatus::kTooLong) {
    return {400, "context_length_exceeded", "messages",
            fmt::format("the request has about {} tokens, more than any model that may serve it "
                        "takes ({})",
                        decision.facts.needs.context_tokens, why)};
  }
  const bool is_temporary =
      std::ranges::any_of(selection.dropped, [](const policy::Dropped& dropped) {
        return dropped.reason == policy::DropReason::kUnhealthy;
      });
  if (is_temporary) {
    return {
        503, "no_healthy_endpoint", "",
        fmt::format("no model that may serve this request can be used now ({}); try again", why)};
  }
  return {503, "no_healthy_endpoint", "",
          fmt::format("no model that may serve this request takes what it holds ({}); leave that "
                      "out, or ask for a model that takes it by its name",
                      why),
          0};
}

wire::ApiError lock_unavailable(const Decision& decision, std::string_view where) {
  return {
      503, "no_healthy_endpoint", "",
      fmt::format("this turn belongs to {}, which cannot be used now{} ({}); try again",
                  decision.config->models[decision.model].name, where, decision.verdict.reason)};
}

}  // namespace vsr::router
