#include "cli/running.h"

#include <fmt/format.h>
#include <signal.h>

#include <fstream>

#include "base/strings.h"
#include "http/client.h"

namespace vsr::cli {

std::optional<Running> find_running(const std::string& state_folder) {
  std::ifstream in(state_folder + "/run.json");
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const Result<json::Value> run = json::Value::parse(text);
  if (!run) return std::nullopt;
  Running out;
  out.pid = static_cast<int>((*run)["pid"].as_int());
  if (out.pid <= 0 || kill(out.pid, 0) != 0) return std::nullopt;
  out.api = fmt::format("http://127.0.0.1:{}", (*run)["listeners"][0]["port"].as_int());
  std::string_view address = (*run)["operator"]["address"].as_string();
  if (address == "0.0.0.0") address = "127.0.0.1";
  out.operator_url = fmt::format("http://{}:{}", address, (*run)["operator"]["port"].as_int());
  return out;
}

int not_running(const Context& context) {
  fmt::print(stderr,
             "no vllm-sr runs with the state folder {}; start one with `vllm-sr serve --config "
             "RECIPE`, or name its folder with --state-dir\n",
             context.state_folder);
  return kFailed;
}

Headers operator_headers(const Context& context) {
  std::string token = environment("VLLM_SR_ADMIN_TOKEN");
  if (token.empty()) {
    std::ifstream in(context.state_folder + "/admin-token");
    std::getline(in, token);
  }
  if (token.empty()) return {};
  return {{"authorization", "Bearer " + token}};
}

namespace {

// The router calls a recipe that it was sent `candidate`, at the beginning of each line.
std::string with_file_name(std::string_view message, std::string_view recipe_file) {
  constexpr std::string_view kSent = "candidate:";
  std::string out;
  for (std::string_view line : split(message, '\n')) {
    if (!out.empty()) out += '\n';
    if (!recipe_file.empty() && line.starts_with(kSent)) {
      out.append(recipe_file).append(":");
      line.remove_prefix(kSent.size());
    }
    out += line;
  }
  return out;
}

std::optional<json::Value> read_answer(const Result<http::SimpleResponse>& response,
                                       std::string_view recipe_file = {}) {
  if (!response) {
    fmt::print(stderr, "{}\n", response.error().message);
    return std::nullopt;
  }
  Result<json::Value> body = json::Value::parse(response->body);
  const bool is_readiness = response->status == 503 && body && (*body)["error"].is_null();
  if (response->status != 200 && !is_readiness) {
    const std::string_view message =
        body ? (*body)["error"]["message"].as_string() : std::string_view(response->body);
    fmt::print(stderr, "{}\n", with_file_name(message, recipe_file));
    return std::nullopt;
  }
  if (!body) {
    fmt::print(stderr, "the answer is no JSON\n");
    return std::nullopt;
  }
  return std::move(*body);
}

}  // namespace

std::optional<json::Value> get_json(const Running& running, const Context& context,
                                    const std::string& path) {
  return read_answer(
      http::fetch("GET", running.operator_url + path, operator_headers(context), "", kAnswerMax));
}

std::optional<json::Value> post_json(const Running& running, const Context& context,
                                     const std::string& path, std::string_view body,
                                     std::string_view recipe_file) {
  Headers headers = operator_headers(context);
  headers.emplace_back("content-type", "application/json");
  return read_answer(
      http::fetch("POST", running.operator_url + path, headers, body, kLongAnswerMax), recipe_file);
}

}  // namespace vsr::cli
