#pragma once

// What a machine offers for serving models: GPU device nodes and tools, Docker, and the command
// that starts vLLM there. Reads the file system and runs nothing.

#include <string>
#include <vector>

namespace vsr::app {

struct Platform {
  std::string name;  // "cpu", "amd", "nvidia"
  bool gpu = false;
  bool docker = false;
  std::vector<std::string> found;  // "/dev/kfd", "rocm-smi", …
  std::vector<std::string> missing;
};

Platform look_at_platform(const std::string& name);

// A few lines for a person: what was found, and what follows from it.
std::string describe_platform(const Platform& platform);

// The container command of the guide (amd) or its NVIDIA counterpart, as an argument list; empty
// for cpu. Environment variables VLLM_PORT_QWEN36, VLLM_HF_CACHE and HF_TOKEN are honoured.
std::vector<std::string> container_command(const std::string& platform);

// The same as text for a shell, one option a line.
std::string shell_text(const std::vector<std::string>& command);

}  // namespace vsr::app
