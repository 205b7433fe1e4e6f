#pragma once

#include <functional>
#include <string>

#include "demo/netlink.hpp"
#include "demo/unique_fd.hpp"
#include "ownership/outcome.hpp"

namespace tenure::demo {

/// A network namespace of the demo's own, under a name in /run/netns so that `ip netns exec` finds it. It is
/// removed with this object; sockets that are still closing keep the kernel's side of it alive until they are
/// done.
class network_namespace {
 public:
  /// New, with TCP's patience shortened, so that what is left of a vanished instance ends within seconds.
  static outcome<network_namespace> create(const std::string& name);
  network_namespace(network_namespace&&) = default;
  network_namespace& operator=(network_namespace&& other) noexcept;
  ~network_namespace();

  /// Does something in a thread that is in this namespace, and waits for it.
  void within(const std::function<void()>& work) const;

  std::string path() const;
  int descriptor() const { return descriptor_.get(); }
  link_socket& links() { return links_; }

 private:
  network_namespace() = default;
  void remove();

  std::string name_;
  unique_fd descriptor_;
  link_socket links_;
};

/// Removes the name of a namespace that an earlier run left behind.
void remove_namespace_name(const std::string& name);

/// Where the names of network namespaces are.
inline constexpr const char* namespace_folder = "/run/netns";

}  // namespace tenure::demo
