#include "agent/host_picture.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <ifaddrs.h>
#include <linux/magic.h>
#include <memory>
#include <net/if.h>
#include <sstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "agent/file_descriptor.hpp"
#include "agent/forwarding_watch.hpp"
#include "agent/host_addresses.hpp"
#include "agent/netlink_addresses.hpp"
#include "agent/netns.hpp"

namespace tenure::agent {
namespace {

/// The processes of one namespace; several, for one may end before its namespace is entered.
struct inhabitants {
  std::vector<std::string> paths;
  std::set<std::string> cgroups;
};

constexpr std::size_t paths_kept = 3;

/// "0::/system.slice/nginx.service" of /proc/PID/cgroup; absent when the process is gone.
std::optional<std::string> cgroup_of(const std::string& process) {
  std::ifstream file(process + "/cgroup");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("0::")) return line.substr(3);
  return std::nullopt;
}

outcome<std::map<ino_t, inhabitants>> look_at_processes(ino_t own) {
  std::map<ino_t, inhabitants> result;
  std::error_code error;
  using walk = std::filesystem::directory_iterator;
  for (walk at("/proc", error), end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename().string();
    if (!std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) continue;
    if (name == "1") continue;  // the host's init is in no container's namespace, and may not be looked at
    const std::string process = "/proc/" + name;
    struct stat ns {};
    if (::stat((process + "/ns/net").c_str(), &ns) != 0) {
      // It ended meanwhile; but who may not look does not know whom it overlooks.
      if (errno == EACCES || errno == EPERM)
        return fail(trouble::refused, "cannot look at process " + name + ": CAP_SYS_PTRACE is needed");
      continue;
    }
    if (ns.st_ino == own) continue;
    const auto cgroup = cgroup_of(process);
    if (!cgroup) continue;
    auto& there = result[ns.st_ino];
    if (there.paths.size() < paths_kept) there.paths.push_back(process + "/ns/net");
    there.cgroups.insert(*cgroup);
  }
  if (error) return fail(trouble::refused, "cannot read /proc: " + error.message());
  return result;
}

/// Of the calling thread's namespace, those that are up, but for the loopback device.
outcome<std::size_t> count_interfaces() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0)
    return fail(trouble::refused, "cannot list interfaces: " + std::generic_category().message(errno));
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(all, ::freeifaddrs);
  std::set<std::string> up;
  for (const auto* i = all; i != nullptr; i = i->ifa_next)
    if ((i->ifa_flags & IFF_UP) != 0 && (i->ifa_flags & IFF_LOOPBACK) == 0) up.insert(i->ifa_name);
  return up.size();
}

/// Whether the calling thread's namespace may carry others' packets under its own addresses.
outcome<bool> passes_on() {
  const auto forwards = dump_forwarding();
  if (!forwards || !*forwards) return forwards;
  return count_interfaces().map([](std::size_t many) { return many > 1; });
}

/// @returns nothing when it is gone; a failure when it could not be looked into.
outcome<std::optional<seen_netns>> enter(const std::string& path, ino_t inode) {
  struct stat ns {};
  // The process may be gone and its number another's: what is entered must be what was seen.
  if (::stat(path.c_str(), &ns) != 0 || ns.st_ino != inode) return std::optional<seen_netns>{};
  seen_netns seen;
  outcome<std::vector<address>> dumped;
  outcome<bool> carries;
  const auto entered = run_in_netns(path, [&] {
    seen.netns = {path, current_netns_cookie()};
    carries = passes_on();
    dumped = dump_addresses();
  });
  if (!entered && entered.error().trouble == trouble::usage) return std::optional<seen_netns>{};
  if (!entered) return tl::unexpected(entered.error());
  if (!dumped) return tl::unexpected(dumped.error());
  if (!carries) return tl::unexpected(carries.error());
  if (seen.netns.cookie == 0) return std::optional<seen_netns>{};
  seen.passes_on = *carries;
  seen.addresses = std::move(*dumped);
  return seen;
}

constexpr int kernfs_handle = 0xfe;  // FILEID_KERNFS

}  // namespace

outcome<std::string> find_cgroup_mount() {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device;
    std::string where;
    std::string type;
    if (words >> device >> where >> type && type == "cgroup2") return where;
  }
  return fail(trouble::refused,
              "no unified cgroup hierarchy is mounted (cgroup2): workloads cannot be named by their cgroups");
}

std::uint64_t cgroup_id_of(const std::string& path, const std::string& mount) {
  struct stat s {};
  return ::stat((mount + path).c_str(), &s) == 0 ? s.st_ino : 0;
}

std::string cgroup_path_of(std::uint64_t id, const std::string& mount) {
  const file_descriptor root{::open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!root) return {};
  alignas(std::uint64_t) std::array<char, sizeof(file_handle) + sizeof(std::uint64_t)> room{};
  auto* handle = reinterpret_cast<file_handle*>(room.data());
  handle->handle_bytes = sizeof id;
  handle->handle_type = kernfs_handle;
  std::memcpy(handle->f_handle, &id, sizeof id);
  const file_descriptor found{::open_by_handle_at(root.get(), handle, O_PATH | O_CLOEXEC)};
  if (!found) return {};
  std::array<char, 4352> target{};
  const auto link = "/proc/self/fd/" + std::to_string(found.get());
  const auto length = ::readlink(link.c_str(), target.data(), target.size());
  if (length <= 0) return {};
  const std::string path(target.data(), static_cast<std::size_t>(length));
  if (!path.starts_with(mount)) return {};
  return path.size() == mount.size() ? "/" : path.substr(mount.size());
}

outcome<host_picture> take_picture(const std::string& mount, bool others) {
  struct stat own {};
  if (::stat(own_netns, &own) != 0)
    return fail(trouble::refused, "cannot find the agent's own network namespace");
  host_picture p;
  if (others) {
    const auto found = look_at_processes(own.st_ino);
    if (!found) return tl::unexpected(found.error());
    for (const auto& [inode, there] : *found) {
      for (const auto& path : there.paths) {
        auto entered = enter(path, inode);
        if (!entered) p.unseen = entered.error();
        if (!entered || !*entered) continue;
        auto& seen = *entered;
        seen->cgroups = there.cgroups;
        for (const auto& cgroup : there.cgroups)
          p.cgroup_ids.try_emplace(cgroup, cgroup_id_of(cgroup, mount));
        p.others.push_back(std::move(*seen));
        break;
      }
    }
  }
  p.own = {own_netns, current_netns_cookie()};
  auto addresses = dump_addresses();
  if (!addresses) return tl::unexpected(addresses.error());
  p.own_addresses = std::move(*addresses);
  auto listening = dump_listeners();
  if (!listening) return tl::unexpected(listening.error());
  p.own_listeners = std::move(*listening);
  return p;
}

}  // namespace tenure::agent
