#include "cli/measured_node.hpp"

#include <csignal>
#include <fstream>
#include <regex>
#include <sstream>
#include <thread>
#include <tuple>
#include <unistd.h>

#include "api/http_server.hpp"

namespace tenure::cli {
namespace {

constexpr auto between_looks = std::chrono::milliseconds{20};
constexpr auto start_bound = std::chrono::seconds{60};  // it may touch gigabytes before it listens

std::string whole(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

/// Fields 14 and 15 of a stat file: user and system time, in seconds. The name, field 2, may hold anything.
std::pair<double, double> times_of(const std::filesystem::path& stat) {
  const std::string text = whole(stat);
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(text.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) rest >> skipped;
  double user = 0;
  double system = 0;
  rest >> user >> system;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return {user / ticks, system / ticks};
}

}  // namespace

outcome<std::unique_ptr<measured_node>> measured_node::start(const std::vector<std::string>& options,
                                                             const std::filesystem::path& log) {
  std::vector<std::string> words{"/proc/self/exe", "node",   "--listen",
                                 "127.0.0.1:0",    "--http", "127.0.0.1:0"};
  words.insert(words.end(), options.begin(), options.end());
  std::error_code ignored;
  std::filesystem::remove(log, ignored);  // of a run before
  auto process = demo::child_process::start(words, log);
  if (!process) return tl::unexpected(process.error());
  const std::regex listening{"agents (127.0.0.1:\\d+), HTTP 127.0.0.1:(\\d+)"};
  const auto deadline = std::chrono::steady_clock::now() + start_bound;
  while (std::chrono::steady_clock::now() < deadline) {
    std::smatch found;
    const std::string said = whole(log);
    if (std::regex_search(said, found, listening))
      return std::unique_ptr<measured_node>(
          new measured_node(std::move(*process), found[1], static_cast<std::uint16_t>(std::stoi(found[2]))));
    if ((*process)->ended()) return fail(trouble::refused, "the node did not start; see " + log.string());
    std::this_thread::sleep_for(between_looks);
  }
  return fail(trouble::refused, "the node does not listen; see " + log.string());
}

measured_node::usage measured_node::used() const {
  const auto process = std::filesystem::path("/proc") / std::to_string(process_->pid());
  usage u;
  std::tie(u.user_seconds, u.system_seconds) = times_of(process / "stat");
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator(process / "task", gone)) {
    // Those that have stages of their own.
    const std::string name = whole(thread.path() / "comm");
    if (name.starts_with("caf.") || name.starts_with("output")) continue;
    const auto [user, system] = times_of(thread.path() / "stat");
    u.transport_seconds += user + system;
  }
  return u;
}

std::size_t measured_node::resident_bytes() const {
  std::ifstream statm("/proc/" + std::to_string(process_->pid()) + "/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  statm >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::map<std::string, double> measured_node::metrics() const {
  std::map<std::string, double> out;
  const auto page = api::http_get("127.0.0.1:" + std::to_string(http_), "/metrics");
  if (!page) return out;
  std::istringstream lines(*page);
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.rfind(' ');
    if (line.empty() || line[0] == '#' || space == std::string::npos) continue;
    out[line.substr(0, space)] = std::strtod(line.c_str() + space, nullptr);
  }
  return out;
}

int measured_node::stop(std::chrono::seconds bound) {
  const auto deadline = std::chrono::steady_clock::now() + bound;
  process_->ask_to_end();
  while (!process_->ended() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(between_looks);
  const auto code = process_->ended();
  process_.reset();
  return code.value_or(128 + SIGKILL);
}

}  // namespace tenure::cli
