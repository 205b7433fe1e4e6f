#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ownership/outcome.hpp"

namespace tenure::cluster {

/// How etcd is reached at "https://"; files of PEM, read at the start.
struct etcd_tls {
  std::string authority;    ///< who has signed etcd's certificate; empty: the system's authorities
  std::string certificate;  ///< ours; empty: none is shown
  std::string key;
  bool empty() const { return authority.empty() && certificate.empty() && key.empty(); }
};

/// The few requests to etcd that we make, over its JSON gateway (/v3/, etcd 3.4). Every call waits at most as
/// long as its bound; a failure is trouble::refused and says what etcd or the network said. One thread,
/// except stop().
class etcd_client {
 public:
  /// @param endpoint "http://host:port" or "https://host:port"; trouble::usage for anything else, for files
  /// that cannot be read, and for files where nothing is secured
  static outcome<std::unique_ptr<etcd_client>> make(const std::string& endpoint,
                                                    std::chrono::milliseconds bound,
                                                    const etcd_tls& tls = {});
  virtual ~etcd_client() = default;

  /// A new lease. @returns its id
  virtual outcome<std::int64_t> grant(std::chrono::seconds ttl) = 0;
  /// @returns whether the lease is still there, and from now on lives for its whole time again
  virtual outcome<bool> keep_alive(std::int64_t lease) = 0;
  virtual outcome<void> revoke(std::int64_t lease) = 0;
  /// @returns the revision at which the value is there
  virtual outcome<std::int64_t> put(const std::string& key, const std::string& value, std::int64_t lease) = 0;

  struct entry {
    std::string key;
    std::string value;
    std::int64_t revision = 0;  ///< of its last change
  };
  struct entries {
    std::int64_t revision = 0;  ///< of all of etcd, as it was read
    std::vector<entry> items;
  };
  /// What stands under keys that begin with `prefix`, which is not empty.
  virtual outcome<entries> range(const std::string& prefix) = 0;
  /// Waits until something under `prefix` has changed at `since` or later, or the time is over. A wake-up may
  /// come for nothing.
  virtual void wait_for_change(const std::string& prefix, std::int64_t since,
                               std::chrono::milliseconds bound) = 0;

  /// Any thread: ends the call that is under way, with a failure.
  virtual void stop() = 0;
};

}  // namespace tenure::cluster
