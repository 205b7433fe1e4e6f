#include "demo/churn_plan.hpp"

#include <algorithm>

namespace tenure::demo {

std::string_view words(death d) {
  switch (d) {
    case death::graceful:
      return "released";
    case death::crash:
      return "crashed";
    case death::vanish:
      return "vanished";
  }
  return "";
}

nanos churn_plan::pause() {
  std::exponential_distribution<double> d(1.0 / static_cast<double>(options_.between));
  return std::min(static_cast<nanos>(d(random_)), 4 * options_.between);
}

workload_index churn_plan::any_workload() {
  std::uint32_t total = 0;
  for (const auto& w : catalogue()) total += w.weight;
  std::uint32_t drawn = below(total);
  workload_index i = 0;
  while (drawn >= catalogue()[i].weight) drawn -= catalogue()[i++].weight;
  return i;
}

workload_index churn_plan::other_than(workload_index w) {
  workload_index drawn = w;
  while (drawn == w) drawn = any_workload();
  return drawn;
}

death churn_plan::any_death() {
  const std::uint32_t drawn = below(100);
  if (drawn < 76) return death::graceful;
  return drawn < 87 ? death::crash : death::vanish;
}

std::optional<handover> churn_plan::next(const std::vector<slot_state>& slots, nanos now) {
  const auto back =
      std::find_if(returns_.begin(), returns_.end(), [&](const return_due& r) { return r.at <= now; });
  if (back != returns_.end()) {
    const return_due r = *back;
    returns_.erase(back);
    if (!slots[r.slot].vacant) return handover{r.slot, any_death(), succession::back_again, r.workload, 0};
  }
  std::vector<slot_index> old_enough;
  for (slot_index s = 0; s < slots.size(); ++s) {
    const bool returning =
        std::any_of(returns_.begin(), returns_.end(), [&](const return_due& r) { return r.slot == s; });
    if (!slots[s].vacant && !returning && now - slots[s].since >= options_.shortest_stay)
      old_enough.push_back(s);
  }
  if (old_enough.empty()) return std::nullopt;

  handover h;
  h.slot = old_enough[below(static_cast<std::uint32_t>(old_enough.size()))];
  const workload_index before = slots[h.slot].workload;
  const std::uint32_t drawn = below(100);
  h.how = made_ == 0 ? death::vanish : any_death();
  h.next_is = drawn < 70 ? succession::other : drawn < 85 ? succession::same : succession::there_first;
  if (made_ < 2) h.next_is = succession::other;
  if (made_ == 2) h.next_is = succession::there_first;
  h.next = h.next_is == succession::same ? before : other_than(before);
  if (h.next_is == succession::there_first) {
    returns_.push_back({h.slot, before, now + (1000 + below(1000)) * millisecond});
  } else if (made_ == 1 || (made_ > 2 && below(100) < 6)) {
    h.vacant = (1100 + below(800)) * millisecond;  // longer than a SYN waits before it is tried again
  }
  ++made_;
  return h;
}

}  // namespace tenure::demo
