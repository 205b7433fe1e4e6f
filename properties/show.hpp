#pragma once

#include <ostream>

#include "ownership/evidence.hpp"
#include "ownership/flow.hpp"
#include "ownership/timeline.hpp"
#include "ownership/verdict.hpp"

// How failing tests print the values of the domain.
namespace tenure {

inline std::ostream& operator<<(std::ostream& out, const tenancy_id& t) {
  return out << t.incarnation << '-' << t.sequence;
}
inline std::ostream& operator<<(std::ostream& out, const interval& i) {
  return out << '[' << i.from << ", " << i.until << ')';
}
inline std::ostream& operator<<(std::ostream& out, const evidence& e) {
  return out << e.endpoint.to_string() << " held by tenancy " << e.tenancy << " of workload "
             << static_cast<std::uint32_t>(e.workload) << " from " << e.from << "±" << e.from_error
             << " until " << e.until << "±" << e.until_error;
}
inline std::ostream& operator<<(std::ostream& out, const holding& h) {
  return out << h.tenancy << " of workload " << static_cast<std::uint32_t>(h.workload) << ", sure " << h.sure
             << ", said " << h.said;
}
inline std::ostream& operator<<(std::ostream& out, const flow_times& t) {
  out << "opened " << t.opened;
  if (t.is_established) out << ", established " << t.established;
  return out << ", last received " << t.last_received << ", closed " << t.closed << ", transit " << t.transit
             << ", error " << t.error;
}
inline std::ostream& operator<<(std::ostream& out, const verdict& v) {
  if (v.attributed())
    return out << "workload " << static_cast<std::uint32_t>(v.workload) << " by tenancy " << v.tenancy;
  return out << "unattributed: " << to_string(v.reason);
}

}  // namespace tenure
