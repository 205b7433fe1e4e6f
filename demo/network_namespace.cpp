#include "demo/network_namespace.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <string_view>
#include <sys/mount.h>
#include <sys/stat.h>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace tenure::demo {
namespace {

struct setting {
  const char* path;
  std::string_view value;
};

constexpr std::array settings{
    setting{"/proc/sys/net/ipv4/tcp_syn_retries", "3"},  // a vacant address: 1, 2 and 4 s
    setting{"/proc/sys/net/ipv4/tcp_synack_retries", "2"},
    setting{"/proc/sys/net/ipv4/tcp_orphan_retries", "2"},  // closed, and the other end is gone
    setting{"/proc/sys/net/ipv4/tcp_retries2", "4"},
    setting{"/proc/sys/net/ipv4/tcp_fin_timeout", "2"},
    setting{"/proc/sys/net/ipv6/conf/all/accept_ra", "0"},
    setting{"/proc/sys/net/ipv6/conf/default/accept_ra", "0"},
    setting{"/proc/sys/net/ipv6/conf/default/accept_dad", "0"},
    setting{"/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1"},  // no link-local addresses
};

void tune() {
  for (const auto& s : settings) {
    const unique_fd file{::open(s.path, O_WRONLY | O_CLOEXEC)};
    // Not fatal: without it some sockets only take longer to end.
    if (file && ::write(file.get(), s.value.data(), s.value.size()) < 0) continue;
  }
}

std::string path_of(const std::string& name) {
  return fmt::format("{}/{}", namespace_folder, name);
}

outcome<void> give_name(const std::string& name) {
  ::mkdir(namespace_folder, 0755);
  const std::string path = path_of(name);
  const unique_fd file{::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444)};
  if (!file) return fail(trouble::refused, fmt::format("cannot make {}: {}", path, std::strerror(errno)));
  if (::mount("/proc/thread-self/ns/net", path.c_str(), "none", MS_BIND, nullptr) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    return fail(trouble::refused, fmt::format("cannot mount {}: {}", path, std::strerror(error)));
  }
  return {};
}

}  // namespace

void remove_namespace_name(const std::string& name) {
  const std::string path = path_of(name);
  ::umount2(path.c_str(), MNT_DETACH);
  ::unlink(path.c_str());
}

outcome<network_namespace> network_namespace::create(const std::string& name) {
  network_namespace made;
  outcome<void> result;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      result =
          fail(trouble::refused, fmt::format("cannot make a network namespace: {}", std::strerror(errno)));
      return;
    }
    tune();
    auto links = link_socket::open();
    if (!links) {
      result = tl::unexpected(links.error());
      return;
    }
    made.links_ = std::move(*links);
    made.descriptor_.reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    result = give_name(name);
  }).join();
  if (!result) return tl::unexpected(result.error());
  made.name_ = name;
  return made;
}

network_namespace& network_namespace::operator=(network_namespace&& other) noexcept {
  if (this != &other) {
    remove();
    name_ = std::exchange(other.name_, {});
    descriptor_ = std::move(other.descriptor_);
    links_ = std::move(other.links_);
  }
  return *this;
}

network_namespace::~network_namespace() {
  remove();
}

void network_namespace::remove() {
  if (descriptor_ && !name_.empty()) remove_namespace_name(name_);
}

void network_namespace::within(const std::function<void()>& work) const {
  std::thread([&] {
    if (::setns(descriptor_.get(), CLONE_NEWNET) == 0) work();
  }).join();
}

std::string network_namespace::path() const {
  return path_of(name_);
}

}  // namespace tenure::demo
