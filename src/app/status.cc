#include "app/status.h"

#include <unistd.h>

#include "json/writer.h"

namespace vsr::app {

std::string sessions_document(const learning::SessionMap& sessions, const gateway::Runtime* runtime,
                              size_t limit) {
  json::JsonWriter w;
  w.begin_object();
  w.field("count", sessions.sessions());
  w.key("sessions").begin_array();
  for (const learning::SessionView& view : sessions.list(limit)) {
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
  w.field("ready", facts.readiness.ready).field("problem", facts.readiness.problem);
  if (facts.replay) {
    w.key("replay").begin_object();
    w.field("store", facts.replay->backend).field("queued", facts.replay->queued);
    w.field("ok", facts.replay->ok).field("notice", facts.replay_notice);
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
  w.end_object();
  return w.take();
}

}  // namespace vsr::app
