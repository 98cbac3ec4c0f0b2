#pragma once

// What a machine offers for serving models: GPU device nodes and tools, Docker, and the command
// that starts vLLM there. Reads the file system and runs nothing.

#include <functional>
#include <string>
#include <vector>

namespace vsr::app {

// Where to look.
struct Machine {
  std::string root;  // put before every path; "" for the machine we run on
  std::function<std::string(const char*)> variable;  // of the environment; "" if not set
};
const Machine& this_machine();

struct Platform {
  std::string name;  // "cpu", "amd", "nvidia"
  bool gpu = false;
  bool docker = false;
  std::vector<std::string> found;  // "/dev/kfd", "rocm-smi", …
  std::vector<std::string> missing;
};

Platform look_at_platform(const std::string& name, const Machine& machine = this_machine());

// A few lines for a person: what was found, and what follows from it.
std::string describe_platform(const Platform& platform);

// The container command of the guide (amd) or its NVIDIA counterpart, as an argument list; empty
// for cpu. Environment variables VLLM_PORT_QWEN36, VLLM_HF_CACHE and HF_TOKEN are honoured.
std::vector<std::string> container_command(const std::string& platform,
                                           const Machine& machine = this_machine());

// The same as text that a POSIX shell reads back as these words, one option a line.
std::string shell_text(const std::vector<std::string>& command);

}  // namespace vsr::app
