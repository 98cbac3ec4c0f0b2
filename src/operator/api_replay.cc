// Records and live events: the part of Api that tells what was routed.
#include <fmt/format.h>

#include <cstdlib>

#include "operator/api.h"
#include "operator/simulation.h"

namespace vsr::operator_api {

net::Task<void> Api::events(http::Exchange& exchange, std::string_view) {
  if (event_readers_ >= kEventReadersMax) {
    co_await refuse(exchange, {503, "too_many_readers", "", "close another live view first"});
    co_return;
  }
  ++event_readers_;
  services_.events.add_reader();
  uint64_t last = services_.events.newest();
  const std::string_view resume = exchange.request().headers.get("last-event-id");
  if (!resume.empty()) {
    const uint64_t seen = std::strtoull(std::string(resume).c_str(), nullptr, 10);
    // A number from before a restart says nothing: what is there comes anew.
    last = seen <= last ? seen : 0;
  }
  co_await exchange.start(200, "content-type: text/event-stream\r\ncache-control: no-store\r\n");
  std::string_view hello[] = {": live\n\n"};
  bool open = (co_await exchange.write(hello)).has_value();
  constexpr std::chrono::milliseconds kPoll{100};
  constexpr int kPollsPerHeartbeat = 150;
  for (int quiet = 0; open;) {
    if (!(co_await exchange.loop().sleep(kPoll, &exchange.client_gone()))) break;
    std::string out;
    for (const auto& [number, event] : services_.events.since(last)) {
      out += fmt::format("id: {}\ndata: {}\n\n", number, event);
      last = number;
    }
    if (out.empty() && ++quiet < kPollsPerHeartbeat) continue;
    if (out.empty()) out = ": still here\n\n";
    quiet = 0;
    const std::string_view pieces[] = {out};
    open = (co_await exchange.write(pieces)).has_value();
  }
  services_.events.remove_reader();
  --event_readers_;
  exchange.abandon();
}

net::Task<void> Api::conversations(http::Exchange& exchange, std::string_view) {
  std::string query(exchange.request().query);
  co_await work(exchange, [this, query](std::string_view) {
    if (!services_.replay) {
      return answer_of(wire::ApiError{404, "replay_off", "", "the recipe turns replay off"});
    }
    const Result<store::ReplayQuery> parsed = store::parse_replay_query(query);
    if (!parsed) return answer_of(wire::to_api_error(parsed.error()));
    Result<std::string> body = services_.replay->conversations(*parsed);
    return body ? Answer{200, std::move(*body)} : answer_of(wire::to_api_error(body.error()));
  });
}

net::Task<void> Api::simulate(http::Exchange& exchange, std::string_view) {
  co_await work(exchange, [this](std::string_view body) {
    if (simulates_.exchange(true)) {
      return answer_of(
          wire::ApiError{503, "busy", "", "another simulation runs; try again when it has ended"});
    }
    Answer answer = simulation(body);
    simulates_ = false;
    return answer;
  });
}

Answer Api::simulation(std::string_view body) {
  wire::ApiResult<Simulation> asked = parse_simulation(body);
  if (!asked) return answer_of(asked.error());
  if (!services_.replay) {
    return answer_of(wire::ApiError{404, "replay_off", "", "the recipe turns replay off"});
  }
  asked->options.deadline = services_.clock->mono() + kSimulationMax;
  std::shared_ptr<const router::Router> router;
  if (!asked->recipe.empty()) {
    auto candidate = hooks_.candidate(asked->recipe);
    if (!candidate) {
      return answer_of(wire::ApiError{400, "invalid_recipe", "recipe", candidate.error().message});
    }
    router = std::move(*candidate);
  } else if (const auto runtime = hooks_.runtime()) {
    router = runtime->router;
  } else {
    return answer_of(
        wire::ApiError{503, "not_configured", "", "no recipe is active yet; send one as `recipe`"});
  }
  Result<std::string> document =
      counterfactual::simulate(*services_.replay, *router, asked->options, *services_.clock);
  return document ? Answer{200, std::move(*document)}
                  : answer_of(wire::to_api_error(document.error()));
}

net::Task<void> Api::replay(http::Exchange& exchange, std::string_view rest) {
  if (!services_.replay) {
    co_await refuse(exchange, {404, "replay_off", "", "the recipe turns replay off"});
    co_return;
  }
  Result<store::ReplayQuery> query = store::parse_replay_query(exchange.request().query);
  if (!query) {
    co_await refuse(exchange, wire::to_api_error(query.error()));
    co_return;
  }
  if (const auto runtime = hooks_.runtime()) query->prices = runtime->config;
  Result<std::string> body = co_await gateway::read_replay(
      *services_.replay, offload_, exchange.loop(), std::string(rest), *query);
  if (!body) {
    co_await refuse(exchange, wire::to_api_error(body.error()));
    co_return;
  }
  co_await json(exchange, std::move(*body));
}

}  // namespace vsr::operator_api
