#include "bench/agent/measured_agent.hpp"

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <httplib.h>
#include <linux/bpf.h>
#include <poll.h>
#include <regex>
#include <sstream>
#include <utility>

#include <bpf/bpf.h>
#include <fmt/format.h>

namespace tenure::bench {
namespace {

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

outcome<std::unique_ptr<measured_agent>> measured_agent::start(const std::string& tenure,
                                                               const std::string& node,
                                                               const std::string& folder,
                                                               const std::vector<std::string>& netns,
                                                               const std::vector<std::string>& more) {
  std::unique_ptr<measured_agent> a{new measured_agent};
  static int count = 0;
  const std::string log = fmt::format("{}/agent-{}.log", folder, ++count);
  a->folder_ = folder;
  a->pin_ = fmt::format("/sys/fs/bpf/tenure-bench-{}", ::getpid());
  std::vector<std::string> arguments{tenure,           "agent",
                                     "--node",         node,
                                     "--http",         "127.0.0.1:0",
                                     "--pin",          a->pin_,
                                     "--ipman-socket", folder + "/ipman.sock"};
  for (const auto& path : netns) arguments.insert(arguments.end(), {"--netns", path});
  arguments.insert(arguments.end(), more.begin(), more.end());
  auto started = demo::child_process::start(arguments, log);
  if (!started) return tl::unexpected(started.error());
  a->process_ = std::move(*started);
  for (int i = 0; i < 500; ++i) {
    const std::string said = read_all(log);
    std::smatch found;
    if (said.find("connected to node") != std::string::npos &&
        std::regex_search(said, found, std::regex{"HTTP 127.0.0.1:(\\d+)"})) {
      a->http_ = static_cast<std::uint16_t>(std::stoi(found[1]));
      return a;
    }
    if (a->process_->ended()) break;
    ::poll(nullptr, 0, 20);
  }
  return fail(trouble::refused, "the agent did not start: " + read_all(log));
}

measured_agent::~measured_agent() {
  if (process_) stop();
  std::error_code ignored;
  std::filesystem::remove_all(pin_, ignored);
}

int measured_agent::stop() {
  process_->ask_to_end();
  for (int i = 0; i < 1000; ++i) {
    if (const auto code = process_->ended()) return *code;
    ::poll(nullptr, 0, 10);
  }
  return -1;
}

double measured_agent::cpu_seconds() const {
  clockid_t id{};
  timespec t{};
  if (::clock_getcpuclockid(process_->pid(), &id) != 0 || ::clock_gettime(id, &t) != 0) return 0;
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

std::uint64_t measured_agent::status_bytes(const std::string& key) const {
  std::ifstream file(fmt::format("/proc/{}/status", process_->pid()));
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key)) return std::stoull(line.substr(key.size())) * 1024;
  return 0;
}

std::uint64_t measured_agent::resident_bytes() const {
  return status_bytes("VmRSS:");
}

std::uint64_t measured_agent::peak_resident_bytes() const {
  return status_bytes("VmHWM:");
}

std::map<std::string, program_cost> measured_agent::program_costs() const {
  std::map<std::string, program_cost> all;
  std::map<std::uint32_t, bool> seen;
  for (const auto& entry :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/fdinfo", process_->pid()))) {
    const std::string info = read_all(entry.path());
    std::smatch found;
    if (!std::regex_search(info, found, std::regex{"prog_id:\\s*(\\d+)"})) continue;
    const auto id = static_cast<std::uint32_t>(std::stoul(found[1]));
    if (std::exchange(seen[id], true)) continue;
    const demo::unique_fd program{::bpf_prog_get_fd_by_id(id)};
    bpf_prog_info about{};
    __u32 size = sizeof about;
    if (!program || ::bpf_obj_get_info_by_fd(program.get(), &about, &size) != 0) continue;
    auto& cost = all[about.name];
    cost.runs += about.run_cnt;
    cost.nanoseconds += about.run_time_ns;
  }
  return all;
}

double measured_agent::metric(const std::string& name) const {
  httplib::Client client("127.0.0.1", http_);
  const auto answer = client.Get("/metrics");
  if (!answer) return -1;
  std::istringstream text(answer->body);
  for (std::string line; std::getline(text, line);)
    if (line.starts_with(name + " ")) return std::stod(line.substr(name.size()));
  return -1;
}

program_statistics::program_statistics() : fd_(::bpf_enable_stats(BPF_STATS_RUN_TIME)) {}

}  // namespace tenure::bench
