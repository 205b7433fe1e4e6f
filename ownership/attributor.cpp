#include "ownership/attributor.hpp"

namespace tenure {

reason unroutable(const prefix_set& routable, address a) {
  if (!routable.contains(a)) return reason::external;
  if (a.is_host_local()) return reason::local;
  return reason::none;
}

attributor::merged attributor::merge(const evidence& e) {
  if (unroutable(routable_, e.endpoint.address) != reason::none) return merged::refused;
  return timelines_.merge(e);
}

verdict attributor::attribute(address far, std::uint16_t far_port, const flow_times& times) const {
  // `conflict` comes before these two in the order of reasons, and cannot be here: no evidence was let in.
  if (const reason r = unroutable(routable_, far); r != reason::none) return unattributed(r);
  return timelines_.resolve(far, far_port, times);
}

}  // namespace tenure
