#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/cgroup_rules.hpp"
#include "agent/clock.hpp"
#include "ownership/time.hpp"

namespace tenure::agent {

/// What is said of a container in its OCI bundle's config.json: annotations as containerd and CRI-O write
/// them. Absent when it is no such file.
std::optional<container> read_bundle(const std::string& json);
/// The same of the answer of Docker's or Podman's API to GET /containers/ID/json.
std::optional<container> read_inspection(const std::string& json);

/// Asks who a container is: its OCI bundle on disk first (containerd, CRI-O), then the runtime's socket
/// (Docker, Podman; with "cri:" before its path containerd, CRI-O). Remembers the answer; asks again for what
/// nobody knew when half a minute has passed. One thread. A call waits for a socket at most half a second,
/// and asks one that failed again only after half a minute.
class container_names {
 public:
  /// @param bundle_folders in which a container has a folder of its id's name, with config.json or
  /// userdata/config.json in it @param sockets of runtimes that speak Docker's API, or with
  /// "cri:" before the path Kubernetes' CRI
  container_names(const boot_clock& clock, std::vector<std::string> bundle_folders,
                  std::vector<std::string> sockets);

  /// Null when nobody knows it. Valid until the next call.
  const container* find(const std::string& id);

  /// Where the runtimes of Debian's, Kubernetes' and Docker's own packages keep theirs.
  static std::vector<std::string> usual_bundle_folders();
  static std::vector<std::string> usual_sockets();

 private:
  struct answer {
    std::optional<container> said;
    nanos asked = 0;
  };
  std::optional<container> ask(const std::string& id);
  std::optional<container> ask_socket(const std::string& socket, const std::string& id);

  const boot_clock& clock_;
  std::vector<std::string> bundle_folders_;
  std::vector<std::string> sockets_;
  std::map<std::string, answer> known_;
  std::map<std::string, nanos> failed_;  // sockets, and when
};

}  // namespace tenure::agent
