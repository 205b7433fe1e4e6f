#include "properties/history.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include "ownership/timelines.hpp"
#include "properties/conversation.hpp"
#include "properties/show.hpp"

namespace tenure::history {

namespace {

constexpr nanos span_of_history = 48;

// One tenancy after the other on one endpoint, within `when`; gaps are often 0, lives short, names few.
void hold_in_turn(dice& d, std::uint16_t port, interval when, std::vector<held>& truth) {
  for (nanos t = when.from; t < when.until;) {
    t += d.one_of<nanos>({0, 0, 0, 1, 4});
    const nanos until = std::min(when.until, t + 1 + d.below(12));
    if (t >= until) break;
    const auto sequence = static_cast<std::uint64_t>(truth.size() + 1);
    truth.push_back({{static_cast<std::uint64_t>(d.below(3)), sequence},
                     workload_id{static_cast<std::uint32_t>(1 + d.below(3))},
                     port,
                     {t, until}});
    t = until;
  }
}

std::vector<held> draw_truth(dice& d) {
  std::vector<held> truth;
  for (nanos t = 0; t < span_of_history;) {
    const nanos until = std::min(span_of_history, t + 1 + d.below(24));
    if (d.chance(70)) {
      hold_in_turn(d, 0, {t, until}, truth);
    } else {
      for (const auto port : ports) hold_in_turn(d, port, {t, until}, truth);
    }
    t = until;
  }
  return truth;
}

void break_ownership(dice& d, broken assumption, std::vector<held>& truth) {
  if (assumption == broken::two_owners) {
    for (std::size_t i = 0; i + 1 < truth.size(); ++i)
      if (truth[i].port == truth[i + 1].port) truth[i].when.until += d.below(6);
  }
  if (assumption == broken::false_exclusive) {
    for (std::size_t i = 0, n = truth.size(); i < n; ++i) {
      if (truth[i].port != 0) continue;
      hold_in_turn(d, ports[0], truth[i].when, truth);  // something forwarded under it
    }
  }
}

nanos off_by(dice& d, nanos bound) {
  return d.below(2 * bound + 1) - bound;
}

evidence statement(dice& d, broken assumption, const held& h) {
  const nanos length = h.when.until - h.when.from;
  const nanos from = h.when.from + (d.chance(60) ? 0 : d.below(length));
  nanos until = d.chance(40) ? h.when.until : from + 1 + d.below(h.when.until - from);
  if (assumption == broken::early_claim) until += d.below(8);
  evidence e{.endpoint = {where, h.port}, .tenancy = h.tenancy, .workload = h.workload};
  e.from_error = d.one_of<nanos>({0, 0, 0, 1, 3});
  e.until_error = d.one_of<nanos>({0, 0, 0, 1, 3});
  const nanos beyond = assumption == broken::evidence_clock ? 6 : 0;
  e.from = from + off_by(d, e.from_error + beyond);
  e.until = until + off_by(d, e.until_error + beyond);
  return e;
}

// Lost, repeated and in any order.
std::vector<evidence> draw_evidence(dice& d, broken assumption, const std::vector<held>& truth) {
  std::map<workload_id, tenancy_id> first_of;
  std::vector<evidence> all;
  for (const auto& h : truth) {
    first_of.emplace(h.workload, h.tenancy);
    for (nanos n = d.one_of<nanos>({0, 1, 1, 2, 3}); n > 0; --n) {
      auto e = statement(d, assumption, h);
      const bool joined =
          assumption == broken::joined_by_name || (assumption == broken::reused_id && d.chance(50));
      if (joined) e.tenancy = first_of[h.workload];
      all.push_back(e);
      if (d.chance(20)) all.push_back(e);
    }
  }
  for (std::size_t i = all.size(); i > 1; --i)
    std::swap(all[i - 1], all[static_cast<std::size_t>(d.below(static_cast<nanos>(i)))]);
  return all;
}

const held* tenancy_of(const history& h, tenancy_id id) {
  const auto at =
      std::find_if(h.truth.begin(), h.truth.end(), [id](const held& t) { return t.tenancy == id; });
  return at == h.truth.end() ? nullptr : &*at;
}

}  // namespace

std::uint64_t dice::next() {
  state_ += 0x9e37'79b9'7f4a'7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11ebULL;
  return z ^ (z >> 31);
}

history make(std::uint64_t seed, broken assumption) {
  dice d(seed);
  history h;
  h.truth = draw_truth(d);
  break_ownership(d, assumption, h.truth);
  h.evidence = draw_evidence(d, assumption, h.truth);
  for (int i = 0; i < 8; ++i)
    if (auto f = converse(d, assumption, h.truth)) h.flows.push_back(*f);
  return h;
}

findings& findings::operator+=(const findings& more) {
  flows += more.flows;
  attributed += more.attributed;
  wrong_workload += more.wrong_workload;
  wrong_tenancy += more.wrong_tenancy;
  conflicts += more.conflicts;
  hulls_outside += more.hulls_outside;
  return *this;
}

findings check(const history& h, const judge& known) {
  findings found;
  for (const auto& f : h.flows) {
    const verdict v = known.ask(where, f.far_port, f.times);
    ++found.flows;
    found.conflicts += v.reason == reason::conflict;
    if (!v.attributed()) continue;
    ++found.attributed;
    if (!f.truth || f.truth->workload != v.workload)
      ++found.wrong_workload;
    else if (f.truth->tenancy != v.tenancy)
      ++found.wrong_tenancy;
  }
  return found;
}

findings check(const history& h) {
  const auto own = tenures_own()();
  timelines known;
  for (const auto& e : h.evidence) {
    own->tell(e);
    known.merge(e);
  }
  auto found = check(h, *own);
  for (const auto port : {std::uint16_t{0}, ports[0], ports[1]}) {
    for (const auto& holding : known.holdings({where, port})) {
      const auto* const true_one = tenancy_of(h, holding.tenancy);
      const bool inside =
          holding.sure.empty() || (true_one != nullptr && true_one->when.from <= holding.sure.from &&
                                   holding.sure.until <= true_one->when.until);
      found.hulls_outside += !inside;
    }
  }
  return found;
}

std::string history::story() const {
  std::ostringstream out;
  for (const auto& h : truth)
    out << "true: tenancy " << h.tenancy << " of workload " << static_cast<std::uint32_t>(h.workload)
        << " held port " << h.port << " throughout " << h.when << '\n';
  for (const auto& e : evidence) out << "said: " << e << '\n';
  timelines known;
  for (const auto& e : evidence) known.merge(e);
  for (const auto& f : flows) {
    out << "flow: port " << f.far_port << ", " << f.times << "; true: ";
    if (f.truth)
      out << f.truth->tenancy;
    else
      out << "nobody";
    out << "; answer: " << known.resolve(where, f.far_port, f.times) << '\n';
  }
  return out.str();
}

}  // namespace tenure::history
