#include "demo/embedded_tenure.hpp"

#include <cctype>
#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "agent/ipman.hpp"
#include "demo/clock.hpp"

namespace tenure::demo {
namespace {

constexpr nanos start_bound = 20 * second;
constexpr nanos end_bound = 60 * second;
constexpr nanos slice = 20 * millisecond;

std::string read_whole(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string milliseconds(std::chrono::nanoseconds d) {
  return fmt::format("{}ns", d.count());
}

}  // namespace

outcome<std::unique_ptr<embedded_tenure>> embedded_tenure::start(const options& o) {
  const std::string socket = o.folder + "/ipman.sock";
  const std::string log = o.folder + "/up.log";
  std::vector<std::string> arguments{
      o.program,     "up",     "--listen",           "127.0.0.1:0", "--http",
      "127.0.0.1:0", "--hold", milliseconds(o.hold), "--heartbeat", milliseconds(o.heartbeat),
      "--output",    o.output, "--ipman-socket",     socket,        "--pin",
      o.pin};
  for (const auto& p : o.routable) {
    arguments.emplace_back("--routable");
    arguments.push_back(p.to_string());
  }
  auto process = child_process::start(arguments, log);
  if (!process) return tl::unexpected(process.error());
  std::unique_ptr<embedded_tenure> made(new embedded_tenure(std::move(*process), log));
  agent::ipman_request list;
  list.verb = agent::ipman_request::action::list;
  for (const nanos until = boot_time() + start_bound; boot_time() < until; pause_for(slice)) {
    if (made->process_->ended()) return tl::unexpected(made->its_failure());
    if (agent::ipman_call(socket, list)) return made;
  }
  return fail(trouble::refused, "tenure up does not answer on " + socket);
}

failure embedded_tenure::its_failure() {
  std::string last = read_whole(log_);
  while (!last.empty() && last.back() == '\n') last.pop_back();
  last.erase(0, last.rfind('\n') + 1);
  return {trouble::refused, fmt::format("tenure up ended with code {}: {}", process_->ended().value_or(0),
                                        last.empty() ? "it said nothing" : last)};
}

outcome<void> embedded_tenure::check() {
  if (process_->ended()) return tl::unexpected(its_failure());
  return {};
}

void embedded_tenure::end(const std::function<void()>& meanwhile) {
  process_->ask_to_end();
  for (const nanos until = boot_time() + end_bound; boot_time() < until && !process_->ended();
       pause_for(slice)) {
    meanwhile();
  }
}

std::optional<std::uint64_t> embedded_tenure::kernel_events_lost() const {
  return find_kernel_events_lost(read_whole(log_));
}

std::string embedded_tenure::last_words() const {
  constexpr std::size_t most = 4096;
  const std::string all = read_whole(log_);
  return all.substr(all.size() > most ? all.size() - most : 0);
}

std::optional<std::uint64_t> find_kernel_events_lost(const std::string& words) {
  const auto at = words.rfind(" kernel events lost");
  if (at == std::string::npos) return std::nullopt;
  auto begin = at;
  while (begin > 0 && std::isdigit(static_cast<unsigned char>(words[begin - 1])) != 0) --begin;
  if (begin == at || at - begin > 18) return std::nullopt;
  return std::stoull(words.substr(begin, at - begin));
}

}  // namespace tenure::demo
