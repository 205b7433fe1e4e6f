#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "capnp/messages.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// What a container runtime says of a container; what it does not say is empty.
struct container {
  std::string name;
  std::string image;
  std::string pod;
  std::string pod_namespace;
  std::vector<std::pair<std::string, std::string>> labels;
};

/// The id of the container that a cgroup path belongs to: the last 64 hexadecimal digits in a row that stand
/// in it; empty when there are none.
std::string_view container_id_in(std::string_view path);

/// Rules that make a workload's name of a cgroup's path. Immutable.
///
/// A rule is `PATTERN => TEMPLATE`: a POSIX extended regular expression, looked for anywhere in the path, and
/// the name. In the name stand $1 to $9 for what the parentheses matched, ${name}, ${image}, ${pod},
/// ${namespace} and ${label:KEY} for what the container runtime says, $$ for a dollar. The first rule whose
/// pattern matches and whose template has all that it asks for names the path; an empty template says that it
/// is nobody's.
class cgroup_rules {
 public:
  /// @param own tried first, then those for Kubernetes, Docker, Podman, containerd, CRI-O and systemd units.
  /// A failure (trouble::usage) names the rule and what is wrong with it.
  static outcome<std::shared_ptr<const cgroup_rules>> make(const std::vector<std::string>& own);

  /// @param path of the cgroup in the unified hierarchy, at most 4096 bytes; a longer one has no name.
  /// @param runs in it; null: the runtime says nothing of it
  std::optional<wire::workload> workload_of(const std::string& path, const container* runs) const;

 private:
  struct rule;
  static outcome<rule> parse(const std::string& text);

  std::vector<rule> rules_;

 public:
  cgroup_rules();
  ~cgroup_rules();
};

}  // namespace tenure::agent
