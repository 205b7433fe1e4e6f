#include "load/plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "ownership/invariant.hpp"

namespace tenure::load {
namespace {

// Holdings of one address follow each other on hosts this far apart.
constexpr std::uint64_t hosts_apart = 7;
constexpr nanos day = 86'400 * second;
constexpr std::size_t near_ends_a_batch = 8;
// A draw that hits a gap or a hand-over is drawn again so often, then given up.
constexpr int draws = 8;
constexpr nanos transit = millisecond;
// A flow draws fewer than these: of one sequence for all flows of a batch, each has so many.
constexpr std::uint64_t draws_a_flow = 16;
static_assert(3 + draws <= draws_a_flow);
// Draws that are told apart by an address and a number.
constexpr unsigned address_bits = 24;

/// In [0, n), of 32 bits that were drawn. @pre n > 0
nanos below(std::uint64_t drawn, nanos n) {
  return static_cast<nanos>(scaled(drawn << 32, static_cast<std::uint64_t>(n)));
}

}  // namespace

// In the order of an agent's addresses, so that its tenancies begin in the order of their sequences: agents
// count them as they begin.
inline nanos plan::phase(std::uint32_t address) const {
  const auto share = static_cast<std::uint64_t>(phases_apart_);
  return static_cast<nanos>(share * (address / o_.agents) + scaled(random::draw(phases_, address), share));
}

// Turn n of an address is [(n - 1) lifetime + phase, n lifetime + phase); the first one begins before 0.
inline std::uint64_t plan::turn_at(nanos phase, nanos at) const {
  if (o_.lifetime == 0) return 0;
  const nanos since = at - phase;
  return since < 0 ? 0 : static_cast<std::uint64_t>(since / o_.lifetime) + 1;
}

inline std::uint64_t plan::turn_draw(const place& p) const {
  return random::draw(turns_, p.turn << address_bits | p.address);
}

/// Half of the turns end when the next one begins, the others up to a tenth of a lifetime earlier.
/// @param drawn turn_draw: its lower half says the gap, the upper one the workload
inline plan::term plan::term_of(const place& p, nanos phase, std::uint64_t drawn) const {
  if (o_.lifetime == 0) return {0, time_max};
  const bool at_once = (drawn & 1) != 0;
  const auto gap = at_once ? 0 : scaled(drawn << 32, static_cast<std::uint64_t>(o_.lifetime / 10));
  const nanos next = static_cast<nanos>(p.turn) * o_.lifetime + phase;
  return {std::max<nanos>(0, next - o_.lifetime), next - static_cast<nanos>(gap)};
}

plan::plan(const fleet_options& o)
    : o_(o),
      covered_(static_cast<std::uint64_t>(o.covered * (1U << 20))),
      addresses_an_agent_((std::uint64_t{o.addresses} + std::max(o.agents, 1U) - 1) / std::max(o.agents, 1U)),
      phases_apart_(o.lifetime / static_cast<nanos>(std::max<std::uint64_t>(addresses_an_agent_, 1))) {
  invariant(o.agents > 0 && o.addresses >= o.agents && o.addresses <= 1U << 24, "a fleet has its bounds");
  invariant(o.workloads > 0 && o.workloads <= 4096 && o.lifetime >= 0, "a fleet has its bounds");
  random r{o.seed};
  for (auto* purpose : {&phases_, &turns_, &near_ends_, &flows_}) *purpose = r.next();
  random of_run{r.next(), o.run};
  for (std::uint32_t a = 0; a < o.agents; ++a) {
    // Its place is in it, so that no two are the same and none is 0.
    const std::uint64_t incarnation = (of_run.next() << 24) | (a + 1);
    agents_.push_back({incarnation, static_cast<nanos>(r.below(day)), static_cast<nanos>(r.below(101)) - 50});
    incarnations_.emplace_back(incarnation, a);
  }
  std::sort(incarnations_.begin(), incarnations_.end());
  for (std::uint32_t w = 0; w < o.workloads; ++w) names_.push_back(fmt::format("workload-{:04}", w));
}

std::optional<std::uint32_t> plan::agent_of(std::uint64_t incarnation) const {
  const auto it = std::lower_bound(incarnations_.begin(), incarnations_.end(), std::pair{incarnation, 0U});
  if (it == incarnations_.end() || it->first != incarnation) return std::nullopt;
  return it->second;
}

address plan::address_of(std::uint32_t n) const {
  if (!o_.ipv6) return address::v4(0x0a00'0000U + n);
  // 256 addresses a /64.
  return address::from_halves(0xfd7e'0000'0000'0000ULL + (n >> 8), 1 + (n & 0xff));
}

holding plan::turn(const place& p) const {
  holding h;
  h.address = p.address;
  h.agent = static_cast<std::uint32_t>((p.address + p.turn * hosts_apart) % o_.agents);
  h.tenancy = {incarnation(h.agent), p.turn * addresses_an_agent_ + p.address / o_.agents + 1};
  const auto drawn = turn_draw(p);
  h.workload = static_cast<std::uint32_t>((drawn >> 32) * o_.workloads >> 32);
  const auto [from, until] = term_of(p, o_.lifetime == 0 ? 0 : phase(p.address), drawn);
  h.from = from;
  h.until = until;
  return h;
}

std::optional<holding> plan::holder(std::uint32_t address, nanos at) const {
  const holding h = turn({address, turn_at(o_.lifetime == 0 ? 0 : phase(address), at)});
  if (at < h.from || at >= h.until) return std::nullopt;
  return h;
}

std::uint32_t plan::first_address(std::uint32_t agent, std::uint64_t turn) const {
  const std::uint64_t back = turn % o_.agents * hosts_apart % o_.agents;
  return static_cast<std::uint32_t>((agent + o_.agents - back) % o_.agents);
}

void plan::holdings(std::uint32_t agent, nanos since, nanos until, std::vector<holding>& out) const {
  // Phases are less than a lifetime: at one instant an address is in one of two turns.
  const auto [first, last] =
      o_.lifetime == 0 ? std::pair<std::uint64_t, std::uint64_t>{0, 0}
                       : std::pair{static_cast<std::uint64_t>(std::max<nanos>(0, since) / o_.lifetime),
                                   static_cast<std::uint64_t>(until / o_.lifetime) + 1};
  for (std::uint64_t n = first; n <= last; ++n)
    for (std::uint64_t a = first_address(agent, n); a < o_.addresses; a += o_.agents) {
      const holding h = turn({static_cast<std::uint32_t>(a), n});
      if (h.from <= until && h.until > since) out.push_back(h);
    }
}

planned_batch plan::batch(std::uint32_t agent, std::uint64_t number, nanos sealed) const {
  planned_batch b{agent, number, sealed, random{flows_, agent, number}, {}};
  b.near.reserve(near_ends_a_batch);
  random r{near_ends_, agent, number};
  const nanos since = sealed - o_.linger - o_.longest_flow;
  const auto now = o_.lifetime == 0 ? 0 : static_cast<std::uint64_t>(sealed / o_.lifetime);
  for (std::size_t tries = 0; tries < near_ends_a_batch * 2 && b.near.size() < near_ends_a_batch; ++tries) {
    const std::uint64_t n = o_.lifetime == 0 ? 0 : now + r.below(2);
    const std::uint64_t a = first_address(agent, n) + r.below(o_.addresses / o_.agents) * o_.agents;
    if (a >= o_.addresses) continue;
    const holding h = turn({static_cast<std::uint32_t>(a), n});
    const auto same = [&](const holding& other) { return other.tenancy == h.tenancy; };
    if (h.from <= since && h.until > sealed && std::none_of(b.near.begin(), b.near.end(), same))
      b.near.push_back(h);
  }
  return b;
}

plan::ends plan::draw_ends(const planned_batch& of, std::uint32_t index, tenure::flow& f) const {
  random r = of.draws.after(index * draws_a_flow);
  ends found;
  const std::uint64_t shape = r.next();
  const std::uint64_t spans = r.next();
  const std::uint64_t far = r.next();
  f.id = {incarnation(of.agent), of.number, index};
  f.connection = of.number << 20 | index;
  f.reporter = (shape & 1) != 0 ? reporter::source : reporter::destination;
  // As many short ones as long ones, by orders of magnitude.
  const nanos longest = std::max<nanos>(o_.longest_flow >> (shape >> 1 & 0xff) * 12 / 256, 4);
  const nanos rtt = below(spans >> 32, std::min(longest / 2, millisecond)) + 1;
  f.times.closed = of.sealed - below(spans & 0xffff'ffff, o_.linger + 1);
  f.times.opened = f.times.closed - longest;
  f.times.established = f.times.opened + rtt;
  f.times.last_received = f.times.established + (longest - rtt) / 4 * 3;
  f.times.transit = transit;
  f.times.is_established = true;
  if (!of.near.empty()) {
    found.near = (shape >> 9 & 0xffff) * of.near.size() >> 16;
    const auto& near = of.near[*found.near];
    f.near_tenancy = near.tenancy;
    f.near_workload = workload_id{static_cast<std::uint32_t>(*found.near + 1)};
    f.near_address = address_of(near.address);
  } else {
    f.near_tenancy = {};
    f.near_workload = workload_id::none;
    f.near_address = address_of(first_address(of.agent, 0));
  }
  f.near_port = static_cast<std::uint16_t>(32'768 + (shape >> 25 & 0xffff) * 28'000 / 65'536);
  f.far_port = 443;
  f.near_initial_sequence = static_cast<std::uint32_t>(shape >> 32);
  f.counters = {shape >> 50, shape >> 44, 12, 10, 0, 300, 200, static_cast<std::uint32_t>(rtt / microsecond)};
  if ((far & 0xfffff) < covered_) {
    for (int i = 0; i < draws && !found.far; ++i) {
      place p{static_cast<std::uint32_t>(r.below(o_.addresses)), 0};
      const nanos phase_of_it = o_.lifetime == 0 ? 0 : phase(p.address);
      p.turn = turn_at(phase_of_it, f.times.opened);
      const auto [from, until] = term_of(p, phase_of_it, turn_draw(p));
      // It answered from before our stamp of `opened` to after its last segment was sent.
      if (from <= f.times.opened - transit && until >= f.times.last_received) found.far = p;
    }
  }
  // Where no agent is: of the addresses that are kept for benchmarks (RFC 2544).
  f.far_address = found.far ? address_of(found.far->address)
                            : address::v4(0xc612'0000U + static_cast<std::uint32_t>(far >> 47));
  return found;
}

planned_flow plan::flow(const planned_batch& of, std::uint32_t index) const {
  planned_flow p;
  const auto found = draw_ends(of, index, p.flow);
  if (found.near) p.near = of.near[*found.near];
  if (found.far) p.far = turn(*found.far);
  return p;
}

}  // namespace tenure::load
