#include "agent/netns.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sched.h>
#include <set>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <utility>

#include "agent/file_descriptor.hpp"
#include "agent/host_addresses.hpp"

namespace tenure::agent {

outcome<void> run_in_netns(const std::string& path, const std::function<void()>& inside) {
  const file_descriptor ns{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!ns) {
    const bool none = errno == ENOENT || errno == ENOTDIR || errno == ESRCH;
    return fail(none ? trouble::usage : trouble::refused,
                (none ? "no network namespace at " : "cannot open the network namespace ") + path + ": " +
                    std::generic_category().message(errno));
  }
  int error = 0;
  std::thread([&] {
    if (::setns(ns.get(), CLONE_NEWNET) != 0)
      error = errno;
    else
      inside();
  }).join();
  if (error == EINVAL) return fail(trouble::usage, path + " is not a network namespace");
  if (error != 0)
    return fail(trouble::refused,
                "cannot enter the network namespace " + path + ": " + std::generic_category().message(error));
  return {};
}

std::uint64_t current_netns_cookie() {
  const file_descriptor s{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  std::uint64_t cookie = 0;
  socklen_t length = sizeof cookie;
  constexpr int netns_cookie =
      71;  // SO_NETNS_COOKIE, younger than Debian 12's <asm/socket.h> on some architectures
  if (!s || ::getsockopt(s.get(), SOL_SOCKET, netns_cookie, &cookie, &length) != 0) return 0;
  return cookie;
}

std::vector<std::string> netns_paths() {
  std::vector<std::string> result;
  std::set<std::pair<dev_t, ino_t>> seen;
  const auto add = [&](const std::string& path) {
    struct stat s {};  // follows the link without opening, so nothing is kept alive
    if (::stat(path.c_str(), &s) == 0 && seen.emplace(s.st_dev, s.st_ino).second) result.push_back(path);
  };
  add(own_netns);
  std::error_code error;
  using walk = std::filesystem::directory_iterator;
  for (walk at("/run/netns", error), end; !error && at != end; at.increment(error)) add(at->path().string());
  error.clear();
  for (walk at("/proc", error), end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename().string();
    if (std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }))
      add("/proc/" + name + "/ns/net");
  }
  return result;
}

}  // namespace tenure::agent
