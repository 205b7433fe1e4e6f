#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/cgroup_rules.hpp"
#include "agent/container_names.hpp"
#include "agent/host_picture.hpp"
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
  host_usage(options o, std::unique_ptr<container_names> containers);

  std::vector<usage> look() override;
  const wire::workload* name_of(std::uint64_t id) override;

  /// The host has another name from the next look on.
  void name_host(std::optional<wire::workload> host);
  /// How many looks failed, so that nothing was proved, and why the last one did.
  std::pair<std::uint64_t, std::string> failures() const;

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
  mutable std::mutex mutex_;
  std::uint64_t failures_ = 0;  // under the mutex, as are the next and options_.settings.host
  std::string last_failure_;
};

}  // namespace tenure::agent
