#include "demo/fleet.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <utility>

#include <fmt/format.h>

#include "demo/clock.hpp"

namespace tenure::demo {
namespace {

constexpr std::size_t warm_instances = 4;
constexpr std::size_t recent_handovers = 12;
constexpr std::size_t max_gaps = 100'000;
constexpr int drain_bound_ms = 200;
constexpr int callers = 3;
/// Before a vacancy ends: the SYNs that are sent then are answered when they are tried again, a second later.
constexpr nanos last_call = 500 * millisecond;

instance_command just(instance_command::what kind) {
  instance_command c;
  c.kind = kind;
  return c;
}

}  // namespace

fleet::fleet(const fleet_options& o, instance_program program, platform& p, truth_book& truth, fabric f,
             directory d)
    : options_(o),
      program_(std::move(program)),
      platform_(p),
      truth_(truth),
      pool_(o.subnet, o.slots),
      fabric_(std::move(f)),
      directory_(std::move(d)),
      plan_(o.seed, o.churn),
      slots_(o.slots) {}

outcome<std::unique_ptr<fleet>> fleet::create(const std::string& name, const fleet_options& o,
                                              instance_program program, platform& p, truth_book& truth) {
  auto f = fabric::create(name, pool(o.subnet, o.slots));
  if (!f) return tl::unexpected(f.error());
  auto d = directory::create();
  if (!d) return tl::unexpected(d.error());
  return std::unique_ptr<fleet>(new fleet(o, std::move(program), p, truth, std::move(*f), std::move(*d)));
}

outcome<void> fleet::warm_up() {
  auto network = fabric_.make_container(next_container_++);
  if (!network) return tl::unexpected(network.error());
  auto process = instance_process::start(program_, std::move(*network), directory_);
  if (!process) return tl::unexpected(process.error());
  warm_.push_back(std::move(*process));
  return {};
}

outcome<void> fleet::populate() {
  for (slot_index s = 0; s < options_.slots; ++s) {
    // Everyone of the catalogue is there at the start, then by weight.
    const auto w = s < catalogue().size() ? s : plan_.any_workload();
    if (auto in = move_in(s, w); !in) return in;
  }
  for (std::size_t i = 0; i < warm_instances; ++i) {
    if (auto warm = warm_up(); !warm) return warm;
  }
  next_handover_ = boot_time() + second;
  return {};
}

outcome<void> fleet::move_in(slot_index s, workload_index w) {
  if (warm_.empty()) {
    if (auto warm = warm_up(); !warm) return warm;
  }
  auto process = std::move(warm_.front());
  warm_.pop_front();
  const instance_id id = next_instance_++;
  const auto netns = process->network().inside.path();
  const nanos before = boot_time();
  if (auto given = fabric_.give(process->network(), s); !given) return given;
  const std::string name(catalogue()[w].name);
  for (const address a : {pool_.v4(s), pool_.v6(s)}) {
    auto tenancy = platform_.set(a, name, netns);
    if (!tenancy) return tl::unexpected(tenancy.error());
    truth_.names(*tenancy, id, a);
  }
  truth_.born(id, w, s, {before, boot_time()});
  instance_command go = just(instance_command::what::go);
  go.self = id;
  go.workload = w;
  go.slot = s;
  go.seed = plan_.any_seed();
  go.calls_per_second = std::max(1U, options_.connections_per_second / options_.slots);
  go.subnet = options_.subnet;
  go.slots = options_.slots;
  if (!process->command(go)) return fail(trouble::refused, "an instance died before it began");
  if (auto joined = fabric_.join(process->network()); !joined) return joined;
  slots_[s] = {id, w, boot_time(), std::move(process)};
  directory_.publish(s, w);
  return {};
}

void fleet::listen_to(tenant& t) {
  t.process->listen([&](const truth_message& m) { truth_.heard(t.id, m); });
}

outcome<void> fleet::take_away(tenant& t, slot_index s, death how) {
  auto& process = *t.process;
  const nanos before = boot_time();
  if (how == death::graceful) {
    directory_.withdraw(s);
    process.command(just(instance_command::what::drain));
    process.wait_for(truth_message::what::drained, drain_bound_ms,
                     [&](const truth_message& m) { truth_.heard(t.id, m); });
    for (const address a : {pool_.v4(s), pool_.v6(s)}) {
      if (auto gone = platform_.del(a, process.network().inside.path()); !gone) return gone;
    }
  }
  if (how == death::crash) process.kill();
  if (auto cut = fabric_.cut(process.network(), s); !cut) return cut;
  truth_.gone(t.id, {before, boot_time()});
  return {};
}

outcome<void> fleet::bury(tenant dead, death how) {
  dead.process->kill();
  listen_to(dead);  // what it said before it died
  truth_.died(dead.id, boot_time(), words(how));
  return fabric_.remove(dead.process->network());
}

outcome<void> fleet::hand_over(const handover& h) {
  tenant before = std::move(slots_[h.slot]);
  slots_[h.slot] = {};
  done_handover done{h.slot, before.id, 0, before.workload, h.next, h.how, h.next_is, boot_time(), 0};
  if (auto taken = take_away(before, h.slot, h.how); !taken) return taken;
  ++counters_.by_death[static_cast<std::size_t>(h.how)];
  ++counters_.by_succession[static_cast<std::size_t>(h.next_is)];
  if (h.vacant == 0) {
    if (auto filled = fill(h, done); !filled) return filled;
  } else {
    ++counters_.vacancies;
    directory_.withdraw(h.slot);
    const nanos until = boot_time() + h.vacant;
    vacancies_.push_back({h, done, until, until - last_call});
    send_callers_to(h.slot);
  }
  return bury(std::move(before), h.how);
}

void fleet::send_callers_to(slot_index s) {
  instance_command call = just(instance_command::what::call);
  call.slot = s;
  for (int i = 0; i < callers; ++i) {
    auto& t = slots_[plan_.below(options_.slots)];
    if (t.process) t.process->command(call);
  }
}

outcome<void> fleet::fill(const handover& h, done_handover done) {
  if (auto in = move_in(h.slot, h.next); !in) return in;
  done.after = slots_[h.slot].id;
  const nanos now = boot_time();
  done.gap = now - done.at;
  done.at = now;
  if (h.vacant == 0 && gaps_.size() < max_gaps) gaps_.push_back(done.gap);
  note(done);
  return {};
}

void fleet::note(const done_handover& done) {
  ++counters_.handovers;
  recent_.push_front(done);
  if (recent_.size() > recent_handovers) recent_.pop_back();
}

std::vector<slot_state> fleet::states() const {
  std::vector<slot_state> found;
  for (const auto& t : slots_) found.push_back({t.process == nullptr, t.workload, t.since});
  return found;
}

outcome<void> fleet::fill_vacancies(nanos now) {
  for (auto& v : vacancies_) {
    if (v.last_call > now) continue;
    v.last_call = time_max;
    send_callers_to(v.plan.slot);
  }
  const auto over =
      std::find_if(vacancies_.begin(), vacancies_.end(), [&](const auto& v) { return v.until <= now; });
  if (over == vacancies_.end()) return {};
  const vacancy v = *over;
  vacancies_.erase(over);
  return fill(v.plan, v.so_far);
}

outcome<void> fleet::advance(nanos slice) {
  const nanos until = boot_time() + slice;
  for (;;) {
    const nanos now = boot_time();
    if (auto filled = fill_vacancies(now); !filled) return filled;
    if (now >= next_handover_) {
      if (const auto h = plan_.next(states(), now)) {
        if (auto done = hand_over(*h); !done) return done;
      }
      next_handover_ = boot_time() + plan_.pause();
    } else if (warm_.size() < warm_instances) {
      if (auto warm = warm_up(); !warm) return warm;
    }
    nanos due = std::min(until, next_handover_);
    for (const auto& v : vacancies_) due = std::min({due, v.until, v.last_call});
    if (auto heard = listen(due); !heard) return heard;
    if (boot_time() >= until) return {};
  }
}

outcome<void> fleet::listen(nanos until) {
  for (;;) {
    std::vector<pollfd> polled;
    std::vector<tenant*> whose;
    for (auto& t : slots_) {
      if (!t.process) continue;
      polled.push_back({t.process->descriptor(), POLLIN, 0});
      whose.push_back(&t);
    }
    const nanos left = std::max<nanos>(0, until - boot_time());
    const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(left / millisecond));
    if (ready < 0 && errno != EINTR) return fail(trouble::refused, "cannot poll the fleet");
    for (std::size_t i = 0; i < polled.size() && ready > 0; ++i) {
      if ((polled[i].revents & (POLLIN | POLLHUP)) == 0) continue;
      auto& t = *whose[i];
      if (!t.process->listen([&](const truth_message& m) { truth_.heard(t.id, m); })) {
        return fail(trouble::refused, fmt::format("instance {} of the fleet ended by itself: {}", t.id,
                                                  t.process->how_it_ended()));
      }
    }
    if (boot_time() + millisecond >= until) return {};
  }
}

outcome<void> fleet::drain() {
  vacancies_.clear();
  warm_.clear();
  // All say goodbye before the first link goes.
  for (auto& t : slots_) {
    if (t.process) t.process->command(just(instance_command::what::drain));
  }
  for (slot_index s = 0; s < options_.slots; ++s) {
    if (!slots_[s].process) continue;
    if (auto taken = take_away(slots_[s], s, death::graceful); !taken) return taken;
    if (auto buried = bury(std::move(slots_[s]), death::graceful); !buried) return buried;
  }
  return {};
}

std::vector<nanos> fleet::gaps() const {
  auto sorted = gaps_;
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace tenure::demo
