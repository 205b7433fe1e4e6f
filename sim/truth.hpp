#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "ownership/endpoint.hpp"
#include "ownership/time.hpp"

namespace tenure::sim {

using instance_id = std::uint32_t;
using host_id = std::uint32_t;
/// Where every instance listens.
inline constexpr std::uint16_t service_port = 80;
inline constexpr instance_id no_instance = ~instance_id{0};

/// One workload instance with the one address that it holds in [from, until) of true time. Every instance has
/// a network namespace of its own, unless it took the place of another in place.
struct instance {
  instance_id id = no_instance;
  std::uint32_t workload = 0;
  host_id host = 0;
  tenure::address address;
  std::uint16_t claimed_port = 0;  ///< 0: its tenancy is the whole address; otherwise only this port
  nanos from = 0;
  nanos until = time_max;
  std::uint64_t cookie = 0;         ///< its network namespace's
  instance_id netns = no_instance;  ///< whose namespace it is in: its own, or that of the one it replaced

  bool started() const { return from != time_max; }

  bool alive() const { return until == time_max; }
  bool held(nanos t) const { return from <= t && t < until; }
  tenure::endpoint endpoint() const { return {address, claimed_port}; }
};

/// Who held what, when: kept by whoever makes it happen, read by the oracle. Nothing of the production code
/// can reach it.
class truth {
 public:
  instance& add(instance i) {
    i.id = static_cast<instance_id>(instances_.size());
    if (i.netns == no_instance) i.netns = i.id;
    i.cookie = i.netns + std::uint64_t{1};
    by_address_[i.address].push_back(i.id);
    return instances_.emplace_back(i);
  }
  void end(instance_id id, nanos t) { instances_[id].until = t; }

  const instance& of(instance_id id) const { return instances_[id]; }
  instance& of(instance_id id) { return instances_[id]; }
  std::size_t size() const { return instances_.size(); }

  /// Who holds the address at this time; no_instance when nobody does.
  instance_id holder(address a, nanos t) const {
    const auto known = by_address_.find(a);
    if (known == by_address_.end()) return no_instance;
    for (auto i = known->second.rbegin(); i != known->second.rend(); ++i)
      if (instances_[*i].held(t)) return *i;
    return no_instance;
  }
  /// All that ever held it, in the order of time.
  const std::vector<instance_id>& holders(address a) const {
    static const std::vector<instance_id> nobody;
    const auto known = by_address_.find(a);
    return known == by_address_.end() ? nobody : known->second;
  }

  static std::string workload_name(std::uint32_t workload) { return "w" + std::to_string(workload); }

 private:
  std::vector<instance> instances_;
  std::unordered_map<address, std::vector<instance_id>> by_address_;
};

}  // namespace tenure::sim
