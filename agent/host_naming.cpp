#include "agent/host_naming.hpp"

#include <algorithm>
#include <utility>

namespace tenure::agent {

host_naming::host_naming(host_identity who, bool exclusive, claim assign)
    : who_(std::move(who)), exclusive_(exclusive), assign_(std::move(assign)) {}

bool host_naming::listed(address a) const {
  return std::ranges::find(who_.addresses, a) != who_.addresses.end();
}

bool host_naming::ours(address a) const {
  if (a.is_host_local()) return false;
  return who_.addresses.empty() ? exclusive_ : listed(a);
}

void host_naming::claim_all() {
  for (const auto& a : present_)
    if (ours(a)) assign_(a, who_.workload, listed(a));
}

void host_naming::came(address a) {
  present_.insert(a);
  if (ours(a)) assign_(a, who_.workload, listed(a));
}

void host_naming::exclusive(bool now) {
  if (std::exchange(exclusive_, now) == now || !now) return;
  claim_all();
}

void host_naming::gone(address a) {
  present_.erase(a);
}

void host_naming::renewed(const outcome<host_identity>& who) {
  if (!who) {
    ++refused_renewals_;
    return;
  }
  if (who->workload == who_.workload && who->addresses == who_.addresses) return;
  ++renewals_;
  who_ = *who;
  claim_all();
}

}  // namespace tenure::agent
