#include "app/platform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>

#include "app/child_process.h"
#include "store/temporary_folder.h"

namespace vsr::app {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A file system below a temporary folder.
class FakeMachine {
 public:
  void add(const std::string& path, bool executable = false) {
    const std::string file = folder_.path() + path;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file) << "";
    if (executable) chmod(file.c_str(), 0755);
  }
  void set(const std::string& name, const std::string& value) { variables_[name] = value; }
  Machine machine() const {
    return {.root = folder_.path(), .variable = [this](const char* name) -> std::string {
              const auto found = variables_.find(name);
              return found == variables_.end() ? "" : found->second;
            }};
  }

 private:
  store::fixture::TemporaryFolder folder_;
  std::map<std::string, std::string> variables_ = {{"PATH", "/usr/bin:/opt/bin"}};
};

TEST(Platform, LooksForDevicesToolsAndDocker) {
  struct Case {
    const char* name;
    const char* platform;
    std::vector<std::string> files;
    std::vector<std::string> tools;
    bool gpu;
    bool docker;
    std::vector<std::string> found;
    std::vector<std::string> missing;
  };
  const Case cases[] = {
      {"cpu needs nothing", "cpu", {}, {}, false, false, {}, {}},
      {"an empty machine, amd",
       "amd",
       {},
       {},
       false,
       false,
       {},
       {"/dev/kfd", "/dev/dri", "rocm-smi", "a running Docker"}},
      {"an empty machine, nvidia",
       "nvidia",
       {},
       {},
       false,
       false,
       {},
       {"/dev/nvidiactl", "nvidia-smi", "a running Docker"}},
      {"amd complete",
       "amd",
       {"/dev/kfd", "/dev/dri/card0", "/var/run/docker.sock"},
       {"/usr/bin/docker", "/opt/bin/rocm-smi"},
       true,
       true,
       {"/dev/kfd", "/dev/dri", "rocm-smi", "a running Docker"},
       {}},
      {"amd by its newer tool",
       "amd",
       {"/dev/kfd", "/dev/dri/card0"},
       {"/usr/bin/amd-smi"},
       true,
       false,
       {"/dev/kfd", "/dev/dri", "rocm-smi"},
       {"a running Docker"}},
      {"half of amd is no GPU",
       "amd",
       {"/dev/dri/card0"},
       {},
       false,
       false,
       {"/dev/dri"},
       {"/dev/kfd", "rocm-smi", "a running Docker"}},
      {"nvidia complete",
       "nvidia",
       {"/dev/nvidiactl", "/var/run/docker.sock"},
       {"/usr/bin/docker", "/usr/bin/nvidia-smi"},
       true,
       true,
       {"/dev/nvidiactl", "nvidia-smi", "a running Docker"},
       {}},
      {"docker without its socket",
       "nvidia",
       {"/dev/nvidiactl"},
       {"/usr/bin/docker"},
       true,
       false,
       {"/dev/nvidiactl"},
       {"nvidia-smi", "a running Docker"}},
      {"a socket without the program",
       "nvidia",
       {"/dev/nvidiactl", "/var/run/docker.sock"},
       {},
       true,
       false,
       {"/dev/nvidiactl"},
       {"nvidia-smi", "a running Docker"}},
      {"a tool outside of PATH",
       "nvidia",
       {"/dev/nvidiactl"},
       {"/sbin/nvidia-smi"},
       true,
       false,
       {"/dev/nvidiactl"},
       {"nvidia-smi", "a running Docker"}},
  };
  for (const Case& c : cases) {
    FakeMachine fake;
    for (const std::string& file : c.files) fake.add(file);
    for (const std::string& tool : c.tools) fake.add(tool, true);
    const Platform platform = look_at_platform(c.platform, fake.machine());
    EXPECT_EQ(platform.name, c.platform) << c.name;
    EXPECT_EQ(platform.gpu, c.gpu) << c.name;
    EXPECT_EQ(platform.docker, c.docker) << c.name;
    EXPECT_EQ(platform.found, c.found) << c.name;
    EXPECT_EQ(platform.missing, c.missing) << c.name;
  }
}

TEST(Platform, AFileThatIsNotExecutableIsNoTool) {
  FakeMachine fake;
  fake.add("/usr/bin/nvidia-smi", false);
  EXPECT_THAT(look_at_platform("nvidia", fake.machine()).missing, Contains("nvidia-smi"));
}

TEST(Platform, SaysWhatFollows) {
  struct Case {
    Platform platform;
    const char* says;
    const char* not_says;
  };
  const Case cases[] = {
      {{"cpu", false, false, {}, {}}, "the embedded one does", "missing"},
      {{"amd", true, true, {"/dev/kfd"}, {}}, "vllm-sr backend up --platform amd`", "embedded"},
      {{"amd", false, true, {}, {"/dev/kfd"}}, "no GPU here", "no Docker"},
      {{"nvidia", true, false, {}, {"a running Docker"}}, "no Docker here", "no GPU"},
  };
  for (const Case& c : cases) {
    const std::string text = describe_platform(c.platform);
    EXPECT_THAT(text, HasSubstr("platform " + c.platform.name));
    EXPECT_THAT(text, HasSubstr(c.says));
    EXPECT_THAT(text, Not(HasSubstr(c.not_says)));
    EXPECT_TRUE(text.ends_with("\n"));
  }
}

TEST(ContainerCommand, TakesItsValuesFromTheEnvironment) {
  FakeMachine fake;
  const std::vector<std::string> plain = container_command("amd", fake.machine());
  EXPECT_THAT(plain, Contains("8090:8000"));
  EXPECT_THAT(plain, Contains("/mnt/data/huggingface-cache:/root/.cache/huggingface"));
  EXPECT_THAT(plain, Contains("HF_TOKEN="));
  EXPECT_THAT(plain, Contains("--device=/dev/kfd"));
  fake.set("VLLM_PORT_QWEN36", "9000");
  fake.set("VLLM_HF_CACHE", "/data/hf");
  fake.set("HF_TOKEN", "hf_x");
  const std::vector<std::string> set = container_command("nvidia", fake.machine());
  EXPECT_THAT(set, Contains("9000:8000"));
  EXPECT_THAT(set, Contains("/data/hf:/root/.cache/huggingface"));
  EXPECT_THAT(set, Contains("HF_TOKEN=hf_x"));
  EXPECT_THAT(set, Contains("--gpus"));
  EXPECT_THAT(set, Not(Contains("--device=/dev/kfd")));
}

TEST(ContainerCommand, ServesTheFiveNamesOfTheGuide) {
  FakeMachine fake;
  for (const char* platform : {"amd", "nvidia"}) {
    const std::vector<std::string> command = container_command(platform, fake.machine());
    for (const char* model :
         {"qwen/qwen3.6-rocm", "google/gemini-2.5-flash-lite", "google/gemini-3.1-pro",
          "openai/gpt5.4", "anthropic/claude-opus-4.6"}) {
      EXPECT_THAT(command, Contains(model)) << platform;
    }
  }
  EXPECT_TRUE(container_command("cpu", fake.machine()).empty());
}

// What a shell makes of the text is what the words were.
TEST(ShellText, AShellReadsTheSameWords) {
  const std::vector<std::string> words = {
      "printf",     "%s\\n", "plain", "--option=value", "two words",   "",  "it's",  "'",
      "a\\b",       "$HOME", "`id`",  "\"quoted\"",     "#no comment", "~", "{a,b}", "*",
      "line\nbreak"};
  store::fixture::TemporaryFolder folder;
  const std::string log = folder.file("out");
  ChildOptions options;
  options.argv = {"sh", "-c", shell_text(words)};
  options.log_file = log;
  auto child = ChildProcess::start(options);
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(child->wait(std::chrono::seconds(10)), 0);
  std::ifstream in(log);
  const std::string got((std::istreambuf_iterator<char>(in)), {});
  std::string expected;
  for (size_t i = 2; i < words.size(); ++i) expected += words[i] + "\n";
  EXPECT_EQ(got, expected);
}

TEST(ShellText, OneOptionALine) {
  EXPECT_EQ(shell_text({"docker", "run", "-d", "--name", "vllm"}),
            "docker run \\\n  -d \\\n  --name vllm\n");
}

}  // namespace
}  // namespace vsr::app
