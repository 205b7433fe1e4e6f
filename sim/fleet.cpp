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
  instance fresh;
  fresh.workload = workload;
  fresh.host = where.id();
  fresh.address = *a;
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
  r.netns = netns_path(who);
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
  auto& s = states_[who];
  s.tenancy = tenancy;
  if (s.phase != phase::announced) return;
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
  if (stopped_ || !around_.truth.of(who).alive() || states_[who].phase == phase::closing) return;
  if (host_of(who).guest_paused()) {
    around_.time.after(second, [this, who] { end(who); });
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
  release(who);
}

void fleet::shut_down(instance_id who) {
  listener_->closing(who);
  forget_usable(who);
  states_[who].phase = phase::closing;
  const nanos late = draw_.between(0, options_.del_late);
  if (late > options_.del_late / 2) around_.faults.add(fault::late_del);
  around_.time.after(late, [this, who] { withdraw(who, 0); });
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

void fleet::release(instance_id who) {
  const nanos now = around_.time.now();
  auto& i = around_.truth.of(who);
  const bool announced_end = states_[who].phase == phase::closing;
  forget_usable(who);
  states_[who].phase = phase::gone;
  around_.truth.end(who, now);
  auto& gone = gone_[i.workload];
  if (gone.size() == remembered) gone.erase(gone.begin());
  gone.push_back(who);
  instance_seconds_ += static_cast<double>(now - i.from) / static_cast<double>(second);
  const nanos gap = now < gap_off_until_ ? 0 : options_.reuse_gap;
  pool_.give_back(i.address, now + gap);
  if (!announced_end && draw_.chance(options_.withdrawn_share))
    around_.time.after(draw_.exponential(5 * millisecond),
                       [this, who] { host_of(who).withdrawn(around_.truth.of(who)); });
  if (announced_end && draw_.chance(options_.repeat_share)) {
    // A platform that lost the answer says `del` again, perhaps after the successor's `set`.
    around_.time.after(draw_.exponential(5 * second), [this, who] {
      around_.faults.add(fault::stale_del);
      auto r = request(who, verb::del);
      r.netns.clear();
      r.tenancy = states_[who].tenancy.to_string();
      host_of(who).ask(std::move(r));
    });
  }
  around_.time.after(draw_.chance(0.5) ? 0 : draw_.exponential(second), [this, w = i.workload] {
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
    if (around_.truth.of(id).host == where && around_.truth.of(id).alive()) kill(id);
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
    const auto& i = around_.truth.of(id);
    if (i.alive())
      instance_seconds_ += static_cast<double>(around_.time.now() - i.from) / static_cast<double>(second);
  }
}

}  // namespace tenure::sim
