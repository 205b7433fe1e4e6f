#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/file_descriptor.hpp"
#include "agent/flow_source.hpp"
#include "agent/identity_map.hpp"
#include "ownership/endpoint.hpp"

namespace tenure::testing {

/// Three network namespaces of this test alone: `west` and `east` on one link, `north` on another link of
/// `west`'s. West is 10.77.0.1 and fd77::1, east 10.77.0.2 and fd77::2; removed at the end.
class kernel_world {
 public:
  kernel_world();
  ~kernel_world();
  kernel_world(const kernel_world&) = delete;
  kernel_world& operator=(const kernel_world&) = delete;

  std::string path(const std::string& ns) const;
  std::uint64_t cookie(const std::string& ns) const;
  /// `ip` with these arguments; @ before a name stands for this test's own prefix.
  void ip(const std::string& arguments) const;
  void inside(const std::string& ns, const std::function<void()>& what) const;

 private:
  std::string prefix_;
};

/// What the kernel source delivered of this world's namespaces.
class flow_collector {
 public:
  void add(const std::vector<agent::observed_flow>& flows);
  /// The flows of one namespace, as soon as there are `count` of them, or what there is after five seconds.
  std::vector<agent::observed_flow> wait_for(std::uint64_t cookie, std::size_t count);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<agent::observed_flow> flows_;
};

/// Now, on the boot-time clock.
nanos boot_now();

// Sockets of the calling thread's namespace. Every wait is bounded by ten seconds; an errno is given as its
// negative.
agent::file_descriptor listen_on(const endpoint& at);
agent::file_descriptor accept_from(const agent::file_descriptor& listener);
int connect_to(const endpoint& to, agent::file_descriptor& made, int syn_retries = 0,
               const endpoint* from = nullptr);
/// Sends `size` bytes. @returns 0 or the negative errno.
int send_bytes(const agent::file_descriptor& s, std::size_t size);
/// Receives until `size` bytes came, or the end. @returns how many, or the negative errno.
long receive_bytes(const agent::file_descriptor& s, std::size_t size);

}  // namespace tenure::testing
