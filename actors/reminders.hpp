#pragma once

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "ownership/time.hpp"

namespace tenure::actors {

/// Who is to be reminded when: never early, and up to a `step` late, so that those who want it at about the
/// same time share a timer. Whoever asks twice is reminded twice. One thread.
template <class Whom>
class reminders {
 public:
  static constexpr nanos step = 20 * millisecond;

  void ask(nanos at, Whom whom) { asked_[step_of(at)].push_back(std::move(whom)); }

  /// Whose time has come, the earliest first, within a step in the order in which they asked; each once.
  std::vector<Whom> due(nanos now) {
    std::vector<Whom> all;
    for (auto first = asked_.begin(); first != asked_.end() && first->first <= now;
         first = asked_.erase(first))
      std::move(first->second.begin(), first->second.end(), std::back_inserter(all));
    return all;
  }

  /// When the next one's comes; absent when nobody asked.
  std::optional<nanos> next() const {
    if (asked_.empty()) return std::nullopt;
    return asked_.begin()->first;
  }

 private:
  static nanos step_of(nanos at) { return saturating_add(at, step - 1) / step * step; }

  std::map<nanos, std::vector<Whom>> asked_;  // by the end of their step
};

}  // namespace tenure::actors
