#include "tests/process/hosts.hpp"

#include <fcntl.h>
#include <fstream>
#include <sched.h>
#include <stdexcept>
#include <unistd.h>

namespace tenure::testing {
namespace {

void run(std::vector<std::string> words) {
  std::string all;
  for (const auto& w : words) all += w + " ";
  child c(std::move(words));
  if (c.wait() != 0) throw std::runtime_error("failed: " + all + ": " + c.err());
}

/// From host to host; the first one's is the machine's.
std::string boot_clock_ahead(std::size_t host) {
  return std::to_string(host * 777'777);
}

bool sleeps(pid_t id) {
  std::ifstream comm("/proc/" + std::to_string(id) + "/comm");
  std::string name;
  comm >> name;
  return name == "sleep";
}

}  // namespace

hosts::hosts(std::size_t count) : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
  if (::unshare(CLONE_NEWNET) != 0) throw std::runtime_error("no network namespace: that needs root");
  run({"ip", "link", "set", "lo", "up"});
  run({"ip", "link", "add", "bridge", "type", "bridge"});
  run({"ip", "address", "add", "10.99.0.254/24", "dev", "bridge"});
  run({"ip", "link", "set", "bridge", "up"});
  for (std::size_t i = 0; i < count; ++i) {
    holders_.push_back(std::make_unique<child>(
        std::vector<std::string>{"unshare", "--net", "--time", "--boottime", boot_clock_ahead(i), "setpriv",
                                 "--pdeathsig", "KILL", "sleep", "infinity"}));
    const auto id = holders_.back()->id();
    if (!eventually([&] { return sleeps(id); }, std::chrono::seconds{30}))
      throw std::runtime_error("no namespaces: " + holders_.back()->err());
    const auto name = "host" + std::to_string(i);
    run({"ip", "link", "add", name, "type", "veth", "peer", "name", "wire", "netns", std::to_string(id)});
    run({"ip", "link", "set", name, "master", "bridge", "up"});
    run_on(i, {"ip", "link", "set", "lo", "up"});
    run_on(i, {"ip", "address", "add", address(i) + "/24", "dev", "wire"});
    run_on(i, {"ip", "link", "set", "wire", "up"});
  }
}

hosts::~hosts() {
  ::setns(before_, CLONE_NEWNET);
  ::close(before_);
}

std::vector<std::string> hosts::on(std::size_t host, const std::vector<std::string>& command) const {
  const auto ns = "/proc/" + std::to_string(holders_[host]->id()) + "/ns/";
  std::vector<std::string> words{"nsenter",
                                 "--net=" + ns + "net",
                                 "--time=" + ns + "time_for_children",
                                 "--no-fork",
                                 "setpriv",
                                 "--pdeathsig",
                                 "KILL"};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

void hosts::run_on(std::size_t host, const std::vector<std::string>& command) const {
  run(on(host, command));
}

void hosts::cut(std::size_t from, std::size_t host) const {
  run_on(host, {"nft",
                "add table ip cut; add chain ip cut in { type filter hook input priority 0; }; "
                "add rule ip cut in ip saddr " +
                    address(from) + " drop"});
}

void hosts::heal(std::size_t host) const {
  run_on(host, {"nft", "flush", "ruleset"});
}

}  // namespace tenure::testing
