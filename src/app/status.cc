#include "app/status.h"

#include <unistd.h>

#include "app/recipe_versions.h"
#include "json/writer.h"
#include "nn/vectors.h"

namespace vsr::app {

std::string sessions_document(const learning::SessionMap& sessions, const gateway::Runtime* runtime,
                              size_t limit, std::string_view session) {
  // One session is looked for among all that are listed.
  constexpr size_t kSearched = 100'000;
  json::JsonWriter w;
  w.begin_object();
  w.field("count", sessions.sessions());
  w.key("sessions").begin_array();
  for (const learning::SessionView& view : sessions.list(session.empty() ? limit : kSearched)) {
    if (!session.empty() && view.session != session) continue;
    std::string model;
    for (size_t m = 0; runtime != nullptr && m < runtime->config->models.size(); ++m) {
      const std::string& name = runtime->config->models[m].name;
      if (learning::model_name_hash(name) == view.model_hash) model = name;
    }
    w.begin_object();
    w.field("session", view.session).field("conversation", view.conversation);
    w.field("model", model).field("turns", view.turns).field("switches", view.switches);
    w.field("last_used", format_rfc3339(static_cast<UnixMillis>(view.last_t * 1000)));
    w.field("auxiliary", view.auxiliary);
    w.end_object();
  }
  w.end_array().end_object();
  return w.take();
}

std::string system_document(const SystemFacts& facts) {
  json::JsonWriter w;
  w.begin_object();
  w.field("version", facts.version);
  w.field("pid", static_cast<int64_t>(getpid()));
  w.field("uptime_seconds", std::chrono::duration<double>(facts.uptime).count());
  w.field("in_flight", facts.in_flight);
  w.field("state_folder", facts.state_folder);
  w.field("config", facts.config).field("public_url", facts.public_url);
  w.field("policy", facts.recipe ? facts.recipe->hash : "");
  w.field("recipe_name", facts.recipe ? facts.recipe->name : "");
  w.field("ready", facts.readiness.ready).field("problem", facts.readiness.problem);
  if (facts.replay) {
    w.key("replay").begin_object();
    w.field("store", facts.replay->backend).field("queued", facts.replay->queued);
    w.field("ok", facts.replay->ok).field("notice", facts.replay_notice);
    w.field("dropped_bodies", facts.dropped.bodies);
    w.field("dropped_records", facts.dropped.records);
    w.end_object();
  }
  if (facts.backends) {
    w.key("backends").begin_object();
    w.field("any", facts.backends->any_backend);
    w.key("tried").begin_array();
    for (const std::string& line : facts.backends->tried) w.value(line);
    w.end_array();
    w.field("embedded", facts.backends->embedded);
    w.field("embedded_running", facts.embedded.running);
    w.field("embedded_pid", static_cast<int64_t>(facts.embedded.pid));
    w.field("embedded_restarts", facts.embedded.restarts);
    w.field("embedded_problem", facts.embedded.last_problem);
    w.end_object();
  }
  w.key("encoder").begin_object();
  w.field("loaded", facts.texts_encoded.has_value());
  w.field("texts_encoded", facts.texts_encoded.value_or(0)).end_object();
  w.key("limits").begin_object();
  w.field("sessions", learning::kSessionsMax);
  w.field("lineages_per_session", learning::kLineagesPerSessionMax);
  w.field("live_events", gateway::EventFeed::kEventsKept);
  w.field("vectors_of_prompts", nn::Vectors::kPromptsMax);
  w.field("recipe_versions", RecipeVersions::kVersionsKept);
  w.end_object();
  w.end_object();
  return w.take();
}

std::string logs_document(const std::vector<spdlog::details::log_msg_buffer>& lines) {
  json::JsonWriter w;
  w.begin_object().key("lines").begin_array();
  for (const spdlog::details::log_msg_buffer& line : lines) {
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(line.time.time_since_epoch());
    const auto level = spdlog::level::to_string_view(line.level);
    w.begin_object();
    w.field("time", format_rfc3339(static_cast<UnixMillis>(ms.count())));
    w.field("level", std::string_view(level.data(), level.size()));
    w.field("text", std::string_view(line.payload.data(), line.payload.size()));
    w.end_object();
  }
  w.end_array().end_object();
  return w.take();
}

}  // namespace vsr::app