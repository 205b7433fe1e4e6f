#include "sim/baselines.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

namespace tenure::sim {
namespace {

using workload = std::uint32_t;
using dependency = std::pair<workload, workload>;

/// When what happened to an instance's address became known; time_max: never.
struct known {
  nanos assigned = time_max;
  nanos unassigned = time_max;
};

/// A workload that a baseline may name without being wrong.
bool right(const truth& world, const socket_record& r, workload answer) {
  if (r.far != no_instance) return world.of(r.far).workload == answer;
  return std::ranges::any_of(world.holders(r.far_address), [&](instance_id id) {
    const auto& i = world.of(id);
    return i.workload == answer && i.from <= r.closed && i.until > r.opened;
  });
}

class event_feed {
 public:
  event_feed(const truth& world, const baseline_options& options, random& draw)
      : world_(world), hold_(options.hold) {
    known_.reserve(world.size());
    for (instance_id id = 0; id < world.size(); ++id) {
      const auto& i = world.of(id);
      const nanos assigned = arrival(i.from, options, draw);
      const nanos unassigned = arrival(i.alive() ? time_max : i.until, options, draw);
      known_.push_back({assigned, unassigned});
    }
  }

  std::optional<workload> answer(const socket_record& r) const {
    const nanos asked = r.closed + hold_;
    const auto& all = world_.holders(r.far_address);
    for (auto it = all.rbegin(); it != all.rend(); ++it) {
      const auto& i = world_.of(*it);
      if (i.from > r.opened) continue;
      if (i.until <= r.opened && known_[*it].unassigned <= asked) return std::nullopt;
      if (known_[*it].assigned <= asked) return i.workload;
    }
    return std::nullopt;
  }

 private:
  /// Draws as often whatever the options are, so that two sets of options see the same luck.
  static nanos arrival(nanos happened, const baseline_options& options, random& draw) {
    const bool lost = draw.chance(options.loss);
    const nanos late = draw.exponential(options.delay);
    return lost || happened == time_max ? time_max : happened + late;
  }

  const truth& world_;
  nanos hold_;
  std::vector<known> known_;
};

std::optional<workload> current_owner(const truth& world, const socket_record& r, nanos lag) {
  const auto id = world.holder(r.far_address, r.closed + lag);
  if (id == no_instance) return std::nullopt;
  return world.of(id).workload;
}

/// Ranges of one address: since when, until when, whose.
using ranges = std::map<workload, std::pair<nanos, nanos>>;

std::unordered_map<address, ranges> name_ranges(const truth& world) {
  std::unordered_map<address, ranges> all;
  for (instance_id id = 0; id < world.size(); ++id) {
    const auto& i = world.of(id);
    auto& hull = all[i.address].try_emplace(i.workload, i.from, i.until).first->second;
    hull.first = std::min(hull.first, i.from);
    hull.second = std::max(hull.second, i.until);
  }
  return all;
}

std::optional<workload> by_name_range(const std::unordered_map<address, ranges>& all,
                                      const socket_record& r) {
  const auto here = all.find(r.far_address);
  if (here == all.end()) return std::nullopt;
  std::optional<workload> best;
  nanos began = time_max;
  for (const auto& [who, hull] : here->second)
    if (hull.first <= r.opened && r.opened < hull.second && hull.first < began) {
      best = who;
      began = hull.first;
    }
  return best;
}

std::set<dependency> real_dependencies(const truth& world, const socket_records& records) {
  std::set<dependency> real;
  for (const auto& r : records) {
    if (r.reporter != reporter::source) continue;
    const auto near = world.of(r.near).workload;
    if (r.far != no_instance) {
      real.emplace(near, world.of(r.far).workload);
      continue;
    }
    for (const auto id : world.holders(r.far_address)) {
      const auto& i = world.of(id);
      if (i.from <= r.closed && i.until > r.opened) real.emplace(near, i.workload);
    }
  }
  return real;
}

using way = std::function<std::optional<workload>(const socket_record&)>;

baseline_result judge(const truth& world, const socket_records& records, const std::set<dependency>& real,
                      const way& answer_to) {
  baseline_result sum;
  std::set<dependency> reported;
  for (const auto& r : records) {
    ++sum.flows;
    const auto answer = answer_to(r);
    if (!answer) continue;
    ++sum.attributed;
    if (!right(world, r, *answer)) ++sum.misattributed;
    if (r.reporter == reporter::source) reported.emplace(world.of(r.near).workload, *answer);
  }
  sum.dependencies = reported.size();
  sum.false_dependencies = static_cast<std::uint64_t>(
      std::ranges::count_if(reported, [&](const dependency& d) { return !real.contains(d); }));
  return sum;
}

}  // namespace

std::map<std::string, baseline_result> judge_baselines(const truth& world, const socket_records& records,
                                                       const baseline_options& options, random draw) {
  const event_feed events(world, options, draw);
  const auto by_name = name_ranges(world);
  const std::map<std::string, way> ways = {
      {"events", [&](const socket_record& r) { return events.answer(r); }},
      {"current-owner", [&](const socket_record& r) { return current_owner(world, r, options.lag); }},
      {"name-range", [&](const socket_record& r) { return by_name_range(by_name, r); }},
  };
  const auto real = real_dependencies(world, records);
  std::map<std::string, baseline_result> out;
  for (const auto& [name, one] : ways) out.emplace(name, judge(world, records, real, one));
  return out;
}

}  // namespace tenure::sim
