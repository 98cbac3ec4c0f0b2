#include "app/platform.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdlib>

#include "base/strings.h"

namespace vsr::app {

namespace {

std::string variable(const Machine& machine, const char* name, const char* fallback) {
  std::string value = machine.variable(name);
  return value.empty() ? fallback : value;
}

bool exists(const Machine& machine, const std::string& path) {
  return access((machine.root + path).c_str(), F_OK) == 0;
}

bool in_path(const Machine& machine, const std::string& tool) {
  const std::string path = machine.variable("PATH");
  for (const std::string_view folder : split(path, ':')) {
    const std::string file = machine.root + std::string(folder) + "/" + tool;
    if (!folder.empty() && access(file.c_str(), X_OK) == 0) return true;
  }
  return false;
}

void note(Platform& out, bool there, const std::string& what) {
  (there ? out.found : out.missing).push_back(what);
}

}  // namespace

const Machine& this_machine() {
  static const Machine machine{.root = "", .variable = [](const char* name) -> std::string {
                                 const char* value = std::getenv(name);
                                 return value == nullptr ? "" : value;
                               }};
  return machine;
}

Platform look_at_platform(const std::string& name, const Machine& machine) {
  const auto there = [&](const char* path) { return exists(machine, path); };
  const auto tool = [&](const char* program) { return in_path(machine, program); };
  Platform out;
  out.name = name;
  out.docker = tool("docker") && there("/var/run/docker.sock");
  if (name == "amd") {
    out.gpu = there("/dev/kfd") && there("/dev/dri");
    note(out, there("/dev/kfd"), "/dev/kfd");
    note(out, there("/dev/dri"), "/dev/dri");
    note(out, tool("rocm-smi") || tool("amd-smi"), "rocm-smi");
  } else if (name == "nvidia") {
    out.gpu = there("/dev/nvidiactl");
    note(out, out.gpu, "/dev/nvidiactl");
    note(out, tool("nvidia-smi"), "nvidia-smi");
  }
  if (name != "cpu") note(out, out.docker, "a running Docker");
  return out;
}

std::string describe_platform(const Platform& platform) {
  if (platform.name == "cpu") {
    return "platform cpu: where no backend of the recipe answers, the embedded one does, unless "
           "--backend none\n";
  }
  std::string out = fmt::format(
      "platform {}: found {}; missing {}\n", platform.name,
      platform.found.empty() ? "nothing" : fmt::format("{}", fmt::join(platform.found, ", ")),
      platform.missing.empty() ? "nothing" : fmt::format("{}", fmt::join(platform.missing, ", ")));
  if (platform.gpu && platform.docker) {
    out += fmt::format("start vLLM with `vllm-sr backend up --platform {}`\n", platform.name);
  } else {
    out += fmt::format(
        "no {} here: where no backend of the recipe answers, the embedded one does, unless "
        "--backend none; `vllm-sr backend up --platform {} --print` shows the command for a "
        "machine that has "
        "both\n",
        platform.gpu ? "Docker" : "GPU", platform.name);
  }
  return out;
}

std::vector<std::string> container_command(const std::string& platform, const Machine& machine) {
  if (platform != "amd" && platform != "nvidia") return {};
  const bool amd = platform == "amd";
  std::vector<std::string> out = {
      "docker",
      "run",
      "-d",
      "--name",
      "vllm",
      "--network=vllm-sr-network",
      "--restart",
      "unless-stopped",
      "-p",
      variable(machine, "VLLM_PORT_QWEN36", "8090") + ":8000",
      "-v",
      variable(machine, "VLLM_HF_CACHE", "/mnt/data/huggingface-cache") +
          ":/root/.cache/huggingface"};
  const auto add = [&out](std::initializer_list<const char*> words) {
    out.insert(out.end(), words.begin(), words.end());
  };
  if (amd) {
    add({"--device=/dev/kfd", "--device=/dev/dri", "--group-add=video"});
  } else {
    add({"--gpus", "all"});
  }
  add({"--ipc=host"});
  if (amd) {
    add({"--cap-add=SYS_PTRACE", "--security-opt", "seccomp=unconfined", "--shm-size", "32G"});
  }
  out.push_back("-e");
  out.push_back("HF_TOKEN=" + variable(machine, "HF_TOKEN", ""));
  if (amd) {
    add({"-e", "VLLM_ROCM_USE_AITER=1", "-e", "VLLM_USE_AITER_UNIFIED_ATTENTION=1", "-e",
         "VLLM_ROCM_USE_AITER_MHA=0"});
  }
  add({"--entrypoint", "python3"});
  out.push_back(amd ? "vllm/vllm-openai-rocm:latest" : "vllm/vllm-openai:latest");
  add({"-m",
       "vllm.entrypoints.openai.api_server",
       "--model",
       "Qwen/Qwen3.6-35B-A3B",
       "--host",
       "0.0.0.0",
       "--port",
       "8000",
       "--enable-auto-tool-choice",
       "--tool-call-parser",
       "qwen3_coder",
       "--served-model-name",
       "qwen/qwen3.6-rocm",
       "google/gemini-2.5-flash-lite",
       "google/gemini-3.1-pro",
       "openai/gpt5.4",
       "anthropic/claude-opus-4.6",
       "--trust-remote-code",
       "--reasoning-parser",
       "qwen3",
       "--max-model-len",
       "262144",
       "--language-model-only",
       "--max-num-seqs",
       "32",
       "--enable-prefix-caching",
       "--enable-prompt-tokens-details",
       "--prefix-caching-hash-algo",
       "sha256",
       "--kv-cache-dtype",
       "fp8",
       "--gpu-memory-utilization",
       "0.90"});
  return out;
}

std::string shell_text(const std::vector<std::string>& command) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+:,./@%";
  std::string out;
  for (const std::string& word : command) {
    if (!out.empty()) out += word.starts_with('-') ? " \\\n  " : " ";
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
      out += word;
      continue;
    }
    out += '\'';
    for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    out += '\'';
  }
  return out + "\n";
}

}  // namespace vsr::app
