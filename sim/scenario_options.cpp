#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ownership/invariant.hpp"
#include "sim/lifetimes.hpp"
#include "sim/presets.hpp"
#include "sim/scenario_file.hpp"

// The names of all options, as files and sweeps write them.
namespace tenure::sim {
namespace {

struct unit {
  std::string_view suffix;
  double nanoseconds;
};
constexpr unit units[] = {{"ns", 1},   {"us", 1e3},   {"ms", 1e6},   {"s", 1e9},
                          {"m", 60e9}, {"h", 3.6e12}, {"d", 86.4e12}};

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Its result is nothing when the text is no span of time.
std::optional<nanos> span(std::string_view text) {
  const auto letters = text.find_first_not_of("0123456789.");
  if (letters == std::string_view::npos || letters == 0) return std::nullopt;
  const auto value = number(text.substr(0, letters));
  for (const auto& u : units)
    if (value && text.substr(letters) == u.suffix) return static_cast<nanos>(*value * u.nanoseconds);
  return std::nullopt;
}

/// In the largest unit up to seconds that says it in whole numbers.
std::string span_text(nanos t) {
  if (t % second == 0) return fmt::format("{}s", t / second);
  if (t % millisecond == 0) return fmt::format("{}ms", t / millisecond);
  return t % microsecond == 0 ? fmt::format("{}us", t / microsecond) : fmt::format("{}ns", t);
}

/// One name with how its text is read and written.
struct option {
  std::string name;
  std::function<bool(scenario&, std::string_view)> set;
  std::function<std::string(const scenario&)> get;
};

/// Collects options while walking over the structs once.
class names {
 public:
  template <class Part>
  void time(std::string name, Part part) {
    all.push_back({std::move(name),
                   [part](scenario& s, std::string_view text) {
                     const auto value = span(text);
                     if (value) part(s) = *value;
                     return value.has_value();
                   },
                   [part](const scenario& s) {
                     scenario copy = s;
                     return span_text(part(copy));
                   }});
  }
  template <class Part>
  void count(std::string name, Part part) {
    all.push_back({std::move(name),
                   [part](scenario& s, std::string_view text) {
                     const auto value = number(text);
                     if (!value || *value < 0 || *value > 4e9) return false;
                     part(s) = static_cast<std::decay_t<decltype(part(s))>>(*value);
                     return true;
                   },
                   [part](const scenario& s) {
                     scenario copy = s;
                     return fmt::format("{}", part(copy));
                   }});
  }
  std::vector<option> all;
};

/// "0:5s 0.5:1m 1:1h": shares and ages, rising.
bool set_quantiles(scenario& s, std::string_view text) {
  std::vector<quantile> all;
  while (!text.empty()) {
    const auto one = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const auto colon = one.find(':');
    if (colon == std::string_view::npos) return false;
    const auto share = number(one.substr(0, colon));
    const auto age = span(one.substr(colon + 1));
    if (!share || !age || *age <= 0) return false;
    if (!all.empty() && (*share < all.back().share || *age < all.back().age)) return false;
    all.push_back({*share, *age});
  }
  if (all.empty() || all.back().share != 1) return false;
  s.fleet.lifetimes = std::move(all);
  return true;
}

bool set_lifetimes(scenario& s, std::string_view text) {
  if (text == "containers") {
    s.fleet.lifetimes = container_lifetimes();
  } else if (text == "serverless") {
    s.fleet.lifetimes = {{0, 30 * second}, {1, 90 * second}};
  } else if (text == "instances") {
    s.fleet.lifetimes = {{0, 1800 * second}, {0.5, 6 * 3600 * second}, {1, 72 * 3600 * second}};
  } else if (text == "forever") {
    s.fleet.lifetimes = {{1, 1'000'000'000 * second}};
  } else if (text.starts_with("file:")) {
    auto from_file = lifetimes_from_file(std::string{text.substr(5)}, span);
    if (from_file.empty()) return false;
    s.fleet.lifetimes = std::move(from_file);
  } else {
    return set_quantiles(s, text);
  }
  return true;
}

/// "all", or numbers with blanks between them, rising; "none" for none.
bool set_chosen(chosen_events& into, std::string_view text) {
  if (text == "all") {
    into.reset();
    return true;
  }
  std::vector<std::uint32_t> all;
  if (text == "none") text = {};
  while (!text.empty()) {
    const auto one = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const auto n = number(one);
    if (!n || *n < 1 || *n > 4e9 || (!all.empty() && *n <= all.back())) return false;
    all.push_back(static_cast<std::uint32_t>(*n));
  }
  into = std::move(all);
  return true;
}

std::string text_of(const chosen_events& chosen) {
  if (!chosen) return "all";
  return chosen->empty() ? "none" : fmt::format("{}", fmt::join(*chosen, " "));
}

#define TENURE_TIME(field) n.time(#field, [](scenario& s) -> nanos& { return s.field; })
#define TENURE_COUNT(field) \
  n.count(                  \
      #field, [](scenario & s) -> auto& { return s.field; })

void name_fleet(names& n) {
  TENURE_COUNT(fleet.workloads);
  TENURE_COUNT(fleet.instances);
  TENURE_COUNT(fleet.hosts);
  TENURE_COUNT(fleet.addresses);
  TENURE_TIME(fleet.reuse_gap);
  TENURE_COUNT(fleet.latest_first);
  TENURE_TIME(fleet.spread_start);
  TENURE_COUNT(fleet.port_share);
  TENURE_COUNT(fleet.unseen_share);
  TENURE_COUNT(fleet.withdrawn_share);
  TENURE_TIME(fleet.set_late);
  TENURE_TIME(fleet.del_late);
  TENURE_COUNT(fleet.double_grant_share);
  TENURE_COUNT(fleet.in_place_share);
  TENURE_COUNT(fleet.repeat_share);
  TENURE_COUNT(fleet.same_again_share);
  TENURE_COUNT(fleet.deploys_per_hour);
  TENURE_COUNT(fleet.allocator_restarts_per_hour);
  n.all.push_back({"fleet.lifetimes", set_lifetimes, [](const scenario& s) {
                     std::string text;
                     for (const auto& q : s.fleet.lifetimes)
                       text += fmt::format("{}{}:{}", text.empty() ? "" : " ", q.share, span_text(q.age));
                     return text;
                   }});
}

void name_traffic(names& n) {
  TENURE_TIME(traffic.connect_every);
  TENURE_COUNT(traffic.callers);
  TENURE_COUNT(traffic.callees);
  TENURE_TIME(traffic.exchange_gap);
  TENURE_COUNT(traffic.exchanges);
  TENURE_COUNT(traffic.udp_share);
  TENURE_TIME(traffic.delay_min);
  TENURE_TIME(traffic.delay_max);
  TENURE_COUNT(traffic.slow_share);
  TENURE_TIME(traffic.transit);
  TENURE_COUNT(traffic.loss);
  TENURE_COUNT(traffic.outside_share);
  TENURE_COUNT(traffic.stale_share);
  TENURE_TIME(traffic.stale_age);
  TENURE_COUNT(traffic.masquerade_share);
  TENURE_COUNT(traffic.challenge_share);
  TENURE_TIME(traffic.server_patience);
  TENURE_COUNT(traffic.kept_share);
  TENURE_TIME(traffic.tick);
}

void name_cluster(names& n) {
  TENURE_COUNT(cluster.nodes);
  TENURE_COUNT(cluster.replicas);
  TENURE_TIME(cluster.warm_up);
  TENURE_COUNT(cluster.leases);
  TENURE_TIME(cluster.lease);
  TENURE_TIME(cluster.view_delay);
  TENURE_TIME(cluster.hold);
  TENURE_TIME(cluster.hold_longest);
  TENURE_COUNT(cluster.release_early);
  TENURE_COUNT(cluster.held_memory);
  TENURE_TIME(cluster.horizon);
  TENURE_COUNT(cluster.memory);
  TENURE_TIME(cluster.heartbeat);
  TENURE_TIME(cluster.linger);
  TENURE_TIME(cluster.repeat);
  TENURE_COUNT(cluster.drift_ppm);
  TENURE_COUNT(cluster.clock_ppm);
  TENURE_TIME(cluster.clock_offset);
  TENURE_COUNT(cluster.shed_waiting);
  TENURE_COUNT(cluster.compress);
  TENURE_TIME(network.delay_min);
  TENURE_TIME(network.delay_max);
  TENURE_COUNT(network.loss);
  TENURE_COUNT(network.unacknowledged);
  TENURE_COUNT(network.refused);
  TENURE_COUNT(network.older);
}

void name_faults(names& n) {
  TENURE_COUNT(faults.agent_crashes);
  TENURE_COUNT(faults.agent_upgrades);
  TENURE_COUNT(faults.node_crashes);
  TENURE_COUNT(faults.link_cuts);
  TENURE_COUNT(faults.partitions);
  TENURE_COUNT(faults.node_partitions);
  TENURE_COUNT(faults.node_leaves);
  TENURE_COUNT(faults.clogs);
  TENURE_TIME(faults.clog_mean);
  TENURE_COUNT(faults.output_fillings);
  TENURE_COUNT(faults.output_outages);
  TENURE_COUNT(faults.agent_pauses);
  TENURE_COUNT(faults.guest_pauses);
  TENURE_COUNT(faults.node_pauses);
  TENURE_TIME(faults.pause_mean);
  TENURE_TIME(faults.pause_most);
  TENURE_COUNT(faults.crash_steps);
  TENURE_COUNT(faults.clock_changes);
  TENURE_COUNT(faults.wall_steps);
  TENURE_COUNT(faults.settings_changes);
  n.count(
      "faults.stall_chance", [](scenario & s) -> auto& { return s.faults.slow.chance; });
  n.time("faults.stall_mean", [](scenario& s) -> nanos& { return s.faults.slow.mean; });
  n.all.push_back({"faults.only",
                   [](scenario& s, std::string_view text) { return set_chosen(s.faults.only, text); },
                   [](const scenario& s) { return text_of(s.faults.only); }});
  n.all.push_back({"traffic.only",
                   [](scenario& s, std::string_view text) { return set_chosen(s.traffic.only, text); },
                   [](const scenario& s) { return text_of(s.traffic.only); }});
  TENURE_TIME(baselines.delay);
  TENURE_COUNT(baselines.loss);
  TENURE_TIME(baselines.hold);
  TENURE_TIME(baselines.lag);
}

const std::vector<option>& options() {
  static const std::vector<option> all = [] {
    names n;
    TENURE_TIME(horizon);
    TENURE_TIME(cooldown);
    TENURE_TIME(grid);
    TENURE_COUNT(evidence_kept);
    name_fleet(n);
    name_traffic(n);
    name_cluster(n);
    name_faults(n);
    return std::move(n.all);
  }();
  return all;
}

#undef TENURE_TIME
#undef TENURE_COUNT

}  // namespace

outcome<void> apply_preset(scenario& s, std::string_view name) {
  std::string known;
  for (const auto& p : presets()) {
    if (p.name == name) {
      for (const auto& [key, value] : p.settings)
        invariant(set_option(s, key, value).has_value(), "a preset sets what there is");
      return {};
    }
    known += fmt::format("{}{}", known.empty() ? "" : ", ", p.name);
  }
  return fail(trouble::usage, fmt::format("preset: there is none called '{}'; there are {}", name, known));
}

outcome<void> set_option(scenario& s, std::string_view key, std::string_view value) {
  if (key == "preset") return apply_preset(s, value);
  if (value == "true") value = "1";
  if (value == "false") value = "0";
  for (const auto& o : options()) {
    if (o.name != key) continue;
    if (o.set(s, value)) return {};
    return fail(trouble::usage, fmt::format("{}: cannot read '{}'", key, value));
  }
  return fail(trouble::usage, fmt::format("{}: there is no such option", key));
}

std::vector<std::pair<std::string, std::string>> all_options(const scenario& s) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& o : options()) out.emplace_back(o.name, o.get(s));
  return out;
}

}  // namespace tenure::sim
