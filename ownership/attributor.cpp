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

void attributor::merge_all(std::span<const evidence> all, std::span<merged> results) {
  // Between two that are refused, all others at once.
  std::size_t start = 0;
  for (std::size_t i = 0; i <= all.size(); ++i) {
    if (i < all.size() && unroutable(routable_, all[i].endpoint.address) == reason::none) continue;
    timelines_.merge(all.subspan(start, i - start), results.subspan(start, i - start));
    if (i < all.size()) results[i] = merged::refused;
    start = i + 1;
  }
}

void attributor::attribute_all(std::span<const question> questions, std::span<verdict> verdicts) const {
  timelines_.resolve(questions, verdicts);
  // No evidence about what is not routable was let in, so only where there is none it has to be asked.
  for (std::size_t i = 0; i < questions.size(); ++i) {
    if (verdicts[i].reason != reason::no_evidence) continue;
    if (const reason r = unroutable(routable_, questions[i].far); r != reason::none)
      verdicts[i] = unattributed(r);
  }
}

}  // namespace tenure
