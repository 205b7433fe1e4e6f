#include "sim/fleet.hpp"

#include <algorithm>

#include "sim/lifetimes.hpp"

namespace tenure::sim {
namespace {

using verb = agent::ipman_request::action;

constexpr nanos platform_retry = 2 * second;
constexpr nanos pool_retry = second;
// After so many tries at `del`, two seconds each, a platform pulls the plug.
constexpr int most_tries = 5;
// Nobody lets go of an address at the very instant of his last segment; on a grid that is a step of it.
constexpr nanos moment = 1;
// What a service registry may still answer with.
constexpr std::size_t remembered = 32;

}  // namespace

fleet::fleet(surroundings& around, const fleet_options& options)
    : around_(around),
      options_(options),
      draw_(around.draw.fork()),
      pool_(options.addresses, options.latest_first),
      usable_(options.workloads),
      gone_(options.workloads) {}

void fleet::attach(tenant_listener& listener, std::vector<std::unique_ptr<host>>& hosts) {
  listener_ = &listener;
  hosts_ = &hosts;
}

void fleet::begin() {
  for (std::uint32_t i = 0; i < options_.instances; ++i)
    around_.time.after(draw_.between(0, options_.spread_start),
                       [this, w = i % options_.workloads] { spawn(w); });
}

void fleet::spawn(std::uint32_t workload) {
  if (stopped_) return;
  const nanos now = around_.time.now();
  auto& where = *(*hosts_)[draw_.below(hosts_->size())];
  const auto a = where.guest_paused() ? std::nullopt : pool_.take(now, draw_);
  if (!a) {
    around_.time.after(pool_retry, [this, workload] { spawn(workload); });
    return;
  }
  place(workload, where.id(), *a);
}

void fleet::place(std::uint32_t workload, host_id where, address a) {
  if (stopped_) return;
  const nanos now = around_.time.now();
  instance fresh;
  fresh.workload = workload;
  fresh.host = where;
  fresh.address = a;
  if (draw_.chance(options_.double_grant_share) && around_.truth.size() > 0)
    fresh.address = around_.truth.of(static_cast<instance_id>(draw_.below(around_.truth.size()))).address;
  fresh.from = now;
  fresh.claimed_port = draw_.chance(options_.port_share) ? service_port : 0;
  const auto id = around_.truth.add(fresh).id;
  states_.emplace_back();
  const nanos late = draw_.between(0, options_.set_late);
  if (late > options_.set_late / 2) around_.faults.add(fault::late_set);
  around_.time.after(late, [this, id] { announce(id); });
  around_.time.after(std::max<nanos>(draw_lifetime(options_.lifetimes, draw_), 1), [this, id] { end(id); });
}

agent::ipman_request fleet::request(instance_id who, agent::ipman_request::action v) const {
  const auto& i = around_.truth.of(who);
  agent::ipman_request r;
  r.verb = v;
  r.endpoint = i.endpoint().to_string();
  r.workload = truth::workload_name(i.workload);
  r.netns = netns_path(i);
  return r;
}

void fleet::announce(instance_id who) {
  if (states_[who].phase != phase::announced || !around_.truth.of(who).alive()) return;
  host_of(who).ask(request(who, verb::set));
  around_.time.after(platform_retry, [this, who] {
    if (states_[who].phase == phase::announced) announce(who);
  });
}

void fleet::stamped(instance_id who, tenancy_id tenancy) {
  states_[who].tenancy = tenancy;
  if (states_[who].phase != phase::announced) return;
  if (states_[who].predecessor != no_instance) take_over(who);
  auto& s = states_[who];
  s.phase = phase::ready;
  usable_[around_.truth.of(who).workload].push_back(who);
  // We are inside the agent: what follows happens a moment later.
  around_.time.after(0, [this, who] {
    if (usable(who)) listener_->ready(who);
  });
  if (!draw_.chance(options_.repeat_share)) return;
  around_.time.after(draw_.exponential(10 * second), [this, who] {
    if (!usable(who)) return;
    around_.faults.add(fault::repeated_set);
    host_of(who).ask(request(who, verb::set));
  });
}

void fleet::announce_all(host_id where) {
  for (auto& list : usable_)
    for (const auto who : list) {
      if (around_.truth.of(who).host != where) continue;
      around_.time.after(draw_.between(0, 3 * second), [this, who] {
        if (usable(who)) host_of(who).ask(request(who, verb::set));
      });
    }
}

void fleet::forget_usable(instance_id who) {
  std::erase(usable_[around_.truth.of(who).workload], who);
}

void fleet::end(instance_id who) {
  const bool lives = states_[who].phase == phase::announced || states_[who].phase == phase::ready;
  if (stopped_ || !lives || !around_.truth.of(who).alive()) return;
  if (host_of(who).guest_paused()) {
    around_.time.after(second, [this, who] { end(who); });
    return;
  }
  const bool in_place = options_.in_place_share > 0 && draw_.chance(options_.in_place_share);
  if (in_place && options_.workloads > 1 && usable(who)) {
    replace_in_place(who);
    return;
  }
  if (draw_.chance(options_.unseen_share))
    kill(who);
  else
    shut_down(who);
}

void fleet::kill(instance_id who) {
  around_.faults.add(fault::unseen_death);
  listener_->killed(who);
  forget_usable(who);
  states_[who].phase = phase::dying;
  around_.time.after(moment, [this, who] {
    if (around_.truth.of(who).alive()) release(who);
  });
}

/// The platform keeps the namespace and its address, and sets another workload over it. Whoever was there is
/// gone before the call, and holds the address until it takes effect: nobody else does.
void fleet::replace_in_place(instance_id who) {
  const auto old = around_.truth.of(who);
  listener_->closing(who);
  forget_usable(who);
  instance next;
  const auto step = 1 + draw_.below(options_.workloads - std::uint64_t{1});
  next.workload = static_cast<std::uint32_t>((old.workload + step) % options_.workloads);
  next.host = old.host;
  next.address = old.address;
  next.claimed_port = old.claimed_port;
  next.netns = old.netns;
  next.from = time_max;
  const auto id = around_.truth.add(next).id;
  states_.emplace_back();
  states_[id].predecessor = who;
  states_[who].successor = id;
  states_[who].phase = phase::replaced;
  around_.time.after(std::max(draw_.between(0, options_.set_late), moment), [this, id] { announce(id); });
}

/// The `set` over a held address has taken effect.
void fleet::take_over(instance_id who) {
  const auto old = std::exchange(states_[who].predecessor, no_instance);
  states_[old].successor = no_instance;
  around_.faults.add(fault::set_in_place);
  left(old);
  around_.truth.of(who).from = around_.time.now();
  around_.time.after(std::max<nanos>(draw_lifetime(options_.lifetimes, draw_), 1), [this, who] { end(who); });
  if (draw_.chance(options_.repeat_share)) say_del_again(old, fault::stale_del_in_place);
}

/// Who was to take over an address that is gone by now, never comes.
void fleet::forget_successor(instance_id who) {
  const auto next = std::exchange(states_[who].successor, no_instance);
  if (next == no_instance) return;
  states_[next].phase = phase::gone;
  auto& i = around_.truth.of(next);
  i.from = i.until = around_.time.now();
}

void fleet::shut_down(instance_id who) {
  listener_->closing(who);
  forget_usable(who);
  states_[who].phase = phase::closing;
  const nanos late = draw_.between(0, options_.del_late);
  if (late > options_.del_late / 2) around_.faults.add(fault::late_del);
  around_.time.after(std::max(late, moment), [this, who] { withdraw(who, 0); });
}

void fleet::withdraw(instance_id who, int tries) {
  if (!around_.truth.of(who).alive()) return;
  if (states_[who].tenancy.none() || tries == most_tries) {
    release(who);
    return;
  }
  host_of(who).ask(request(who, verb::del));
  around_.time.after(platform_retry, [this, who, tries] { withdraw(who, tries + 1); });
}

void fleet::unstamped(instance_id who) {
  if (states_[who].phase != phase::closing) return;
  // `del` returns within this message; the release comes at the same instant or later.
  around_.time.after(draw_.chance(0.5) ? 0 : draw_.exponential(50 * millisecond), [this, who] {
    if (around_.truth.of(who).alive()) release(who);
  });
}

void fleet::left(instance_id who) {
  const nanos now = around_.time.now();
  auto& i = around_.truth.of(who);
  forget_usable(who);
  states_[who].phase = phase::gone;
  around_.truth.end(who, now);
  auto& gone = gone_[i.workload];
  if (gone.size() == remembered) gone.erase(gone.begin());
  gone.push_back(who);
  instance_seconds_ += static_cast<double>(now - i.from) / static_cast<double>(second);
}

/// A platform that lost the answer says `del` again, perhaps after the successor's `set`.
void fleet::say_del_again(instance_id who, fault as) {
  around_.time.after(draw_.exponential(5 * second), [this, who, as] {
    around_.faults.add(as);
    auto r = request(who, verb::del);
    r.netns.clear();
    r.tenancy = states_[who].tenancy.to_string();
    host_of(who).ask(std::move(r));
  });
}

void fleet::release(instance_id who) {
  const nanos now = around_.time.now();
  const auto i = around_.truth.of(who);
  const bool announced_end = states_[who].phase == phase::closing;
  left(who);
  forget_successor(who);
  const nanos gap = now < gap_off_until_ ? 0 : options_.reuse_gap;
  const bool again = options_.same_again_share > 0 && draw_.chance(options_.same_again_share);
  if (!again) pool_.give_back(i.address, now + gap);
  if (!announced_end && draw_.chance(options_.withdrawn_share))
    around_.time.after(draw_.exponential(5 * millisecond),
                       [this, who] { host_of(who).withdrawn(around_.truth.of(who)); });
  if (announced_end && draw_.chance(options_.repeat_share)) say_del_again(who, fault::stale_del);
  const nanos wait = draw_.chance(0.5) ? 0 : draw_.exponential(second);
  if (again) {
    around_.time.after(wait, [this, w = i.workload, on = i.host, a = i.address] { place(w, on, a); });
    return;
  }
  around_.time.after(wait, [this, w = i.workload] {
    spawn(draw_.chance(0.7) ? w : static_cast<std::uint32_t>(draw_.below(options_.workloads)));
  });
}

instance_id fleet::recently_gone(std::uint32_t workload, nanos since, random& draw) const {
  const auto& all = gone_[workload];
  auto first = all.begin();
  while (first != all.end() && around_.truth.of(*first).until < since) ++first;
  const auto n = static_cast<std::uint64_t>(all.end() - first);
  return n == 0 ? no_instance : *(first + static_cast<std::ptrdiff_t>(draw.below(n)));
}

void fleet::lose_host(host_id where) {
  for (instance_id id = 0; id < states_.size(); ++id)
    if (around_.truth.of(id).host == where && around_.truth.of(id).held(around_.time.now()) &&
        states_[id].phase != phase::dying)
      kill(id);
}

void fleet::deploy() {
  const auto& all = usable_[draw_.below(usable_.size())];
  const std::size_t n = (all.size() + 3) / 4;
  const std::vector<instance_id> chosen(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n));
  for (const auto who : chosen) end(who);
}

void fleet::restart_allocator() {
  pool_.restart();
  gap_off_until_ = around_.time.now() + 60 * second;
}

void fleet::close_books() {
  for (instance_id id = 0; id < states_.size(); ++id) {
    if (!around_.truth.of(id).started()) {  // its turn never came
      around_.truth.of(id).from = around_.truth.of(id).until = around_.time.now();
      continue;
    }
    const auto& i = around_.truth.of(id);
    if (i.alive())
      instance_seconds_ += static_cast<double>(around_.time.now() - i.from) / static_cast<double>(second);
  }
}

}  // namespace tenure::sim
