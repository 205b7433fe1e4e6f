#include "sim/naive_rule.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace tenure::sim {
namespace {

__extension__ using wide = __int128;

struct hull {
  bool any = false;
  wide from = 0;
  wide until = 0;
};

}  // namespace

workload_id naive_answer(std::span<const evidence> all, std::uint16_t far_port, const flow_times& times) {
  if (times.error == unknown_error) return workload_id::none;
  std::map<std::tuple<tenancy_id, workload_id, std::uint16_t>, hull> hulls;
  for (const auto& e : all) {
    if (e.endpoint.port != 0 && e.endpoint.port != far_port) continue;
    if (e.from_error == unknown_error || e.until_error == unknown_error) continue;
    const wide from = wide{e.from} + e.from_error;
    const wide until = wide{e.until} - e.until_error;
    if (until <= from) continue;
    auto& h = hulls[{e.tenancy, e.workload, e.endpoint.port}];
    h.from = h.any ? std::min(h.from, from) : from;
    h.until = h.any ? std::max(h.until, until) : until;
    h.any = true;
  }
  const wide error = times.error;
  const bool opened_known = times.opened != time_min;
  std::set<workload_id> answers;
  for (const auto& [key, h] : hulls) {
    bool qualifies = false;
    const wide first = wide{times.established} + error;
    const wide last = wide{times.last_received} - times.transit - error;
    if (times.is_established && first <= last) {
      qualifies = h.from <= last && first < h.until;
    } else if (opened_known) {
      const wide other =
          times.is_established ? times.established : std::max(times.closed, times.last_received);
      const wide begin =
          std::min<wide>(times.opened, times.is_established ? times.established : times.closed);
      const wide end = std::max<wide>(times.opened, other);
      qualifies = h.from <= begin - error && end + error < h.until;
    }
    if (qualifies) answers.insert(std::get<workload_id>(key));
  }
  return answers.size() == 1 ? *answers.begin() : workload_id::none;
}

}  // namespace tenure::sim
