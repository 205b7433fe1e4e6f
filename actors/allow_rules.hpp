#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ownership/prefix.hpp"
#include "transport/spiffe_id.hpp"

namespace tenure::actors {

/// Agents whose certificates match may claim that these workloads hold addresses of these prefixes.
struct allow_rule {
  transport::spiffe_pattern agent;
  prefix_set addresses;
  /// Names; one that ends in `*` stands for all that begin so.
  std::vector<std::string> workloads;
};
using allow_rules = std::vector<allow_rule>;

/// What one agent may claim. Made for each connection, since its certificate decides. One thread.
class permit {
 public:
  /// Where one workload may be claimed; empty: nowhere.
  using reach = std::vector<const prefix_set*>;

  /// Everything may be claimed.
  permit() = default;
  /// @param rules when there are none, everything may be claimed
  /// @param identity the SPIFFE id that the connection proved; without one, nothing may be
  permit(std::shared_ptr<const allow_rules> rules, std::string_view identity);

  bool everything() const { return rules_ == nullptr; }
  /// @pre not everything(). The answer is valid as long as this permit.
  reach reach_of(std::string_view workload) const;

 private:
  std::shared_ptr<const allow_rules> rules_;
  std::vector<const allow_rule*> matching_;
};

bool contains(const permit::reach& where, const address& a);

}  // namespace tenure::actors
