#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/cgroup_rules.hpp"
#include "agent/container_names.hpp"
#include "agent/host_picture.hpp"
#include "agent/look_failures.hpp"
#include "agent/usage_check.hpp"
#include "ownership/prefix.hpp"

namespace tenure::agent {

/// Who uses this host's endpoints, as far as a picture of it proves.
///
/// - Another network namespace: each of its addresses inside `unique`, whole, when all processes in it are
///   one workload's. Witnesses are their cgroups.
/// - The agent's own: each port that somebody listens on, of each address it listens on, when all who listen
///   there are one workload's. Witnesses are the listening sockets.
struct usage_settings {
  /// Addresses outside mean another container on another host.
  std::vector<prefix> unique;
  /// Whose a listener is that no rule names: the host's own. Absent: nobody's.
  std::optional<wire::workload> host;
  bool ports = true;
};

/// @param by_path, by_id whose a cgroup is; null: nobody's
std::vector<usage> usages_of(const host_picture& picture, const usage_settings& settings,
                             const std::function<std::optional<wire::workload>(const std::string&)>& by_path,
                             const std::function<std::optional<wire::workload>(std::uint64_t)>& by_id);

/// The real host's usages and cgroups. `look` and `name_of` are for one thread, the others for any.
class host_usage final : public usage_check, public cgroup_naming {
 public:
  struct options {
    std::shared_ptr<const cgroup_rules> rules;  ///< null: no cgroup has a name
    std::string cgroup_mount;                   ///< only with rules
    usage_settings settings;
  };
  /// @param failures counts looks that failed, in part or as a whole; null: nobody counts
  host_usage(options o, std::unique_ptr<container_names> containers,
             std::shared_ptr<look_failures> failures = nullptr);

  std::vector<usage> look() override;
  const wire::workload* name_of(std::uint64_t id) override;

  /// The host has another name from the next look on.
  void name_host(std::optional<wire::workload> host);
  /// Whether ports of the agent's own namespace are looked at, from the next look on.
  void claim_ports(bool yes);

 private:
  struct named {
    std::string path;
    std::optional<wire::workload> workload;
    bool settled = true;  // false: the runtime may yet say who it is
  };
  named name(const std::string& path);

  options options_;
  std::unique_ptr<container_names> containers_;
  std::unordered_map<std::uint64_t, named> names_;
  std::shared_ptr<look_failures> failures_;
  std::mutex mutex_;  // of options_.settings
};

}  // namespace tenure::agent
