#include "ownership/timelines.hpp"

#include "ownership/rule.hpp"

namespace tenure {

namespace {

std::span<const holding> holdings_of(const timeline* t) {
  return t == nullptr ? std::span<const holding>{} : t->holdings();
}

}  // namespace

bool timelines::merge(const evidence& e) {
  if (e.said().empty()) return false;  // or it would leave an empty timeline behind
  return by_endpoint_[e.endpoint].merge(e);
}

verdict timelines::resolve(address far, std::uint16_t far_port, const flow_times& times) const {
  const timeline* const port = far_port == 0 ? nullptr : find({far, far_port});
  return tenure::resolve(holdings_of(port), holdings_of(find({far, 0})), times);
}

const timeline* timelines::find(const endpoint& e) const {
  const auto at = by_endpoint_.find(e);
  return at == by_endpoint_.end() ? nullptr : &at->second;
}

}  // namespace tenure
