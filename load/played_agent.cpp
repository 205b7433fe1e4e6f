#include "load/played_agent.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "capnp/made_batch.hpp"

namespace tenure::load {
namespace {

constexpr std::uint32_t evidence_a_batch = 2048;
constexpr nanos first_redial = 50 * millisecond;
constexpr nanos longest_redial = 1 * second;

}  // namespace

played_agent::played_agent(const plan& p, std::uint32_t who, const agent::boot_clock& clock,
                           fleet_counters& counters, workbench& bench)
    : plan_(p), who_(who), clock_(clock), counters_(counters), bench_(bench) {}

// Under mutex_.
auto played_agent::sender(end& over) {
  return [this, &over](wire::frame f) {
    over.link->send(std::move(f));
    ++counters_.frames_sent;
  };
}

std::uint64_t played_agent::seal_flows(nanos now, std::uint32_t flows) {
  const std::lock_guard lock{mutex_};
  kept_.push_back({.sealed = now, .count = flows, .flows = true});
  ++counters_.batches_sealed;
  counters_.flows_sealed += flows;
  return first_ + kept_.size() - 1;
}

void played_agent::seal_heartbeat(nanos now, nanos since) {
  const auto& held = holdings(now, since);
  const std::lock_guard lock{mutex_};
  for (std::uint32_t first = 0; first < held.size(); first += evidence_a_batch) {
    const auto count =
        std::min<std::uint32_t>(evidence_a_batch, static_cast<std::uint32_t>(held.size()) - first);
    kept_.push_back({.sealed = now, .since = since, .first = first, .count = count});
    ++counters_.batches_sealed;
    counters_.evidence_sealed += count;
  }
}

bool played_agent::has_link() const {
  const std::lock_guard lock{mutex_};
  return main_.link != nullptr;
}

bool played_agent::welcomed() const {
  const std::lock_guard lock{mutex_};
  return main_.welcomed;
}

bool played_agent::settled() const {
  const std::lock_guard lock{mutex_};
  return kept_.empty();
}

bool played_agent::waits() const {
  const std::lock_guard lock{mutex_};
  return next_to_send_ < first_ + kept_.size();
}

bool played_agent::freshly_welcomed() {
  const std::lock_guard lock{mutex_};
  return std::exchange(fresh_, false);
}

nanos played_agent::redial_at() const {
  const std::lock_guard lock{mutex_};
  return redial_at_;
}

// Under mutex_, held over the dial, whose events come from another thread: when they come, the link is known.
void played_agent::dial(end& to, transport::transport& net, const std::string& node) {
  const std::uint64_t number = ++last_number_;
  auto me = weak_from_this();
  to = {};
  to.number = number;
  to.node = node;
  to.link = net.dial(node, {[me, number](transport::frame f) {
                              if (auto self = me.lock()) self->received(number, f);
                            },
                            [me, number](transport::close_reason) {
                              if (auto self = me.lock()) self->closed(number);
                            }});
  to.link->send(wire::encode(wire::hello{wire::protocol_version,
                                         plan_.incarnation(who_),
                                         "played-" + std::to_string(who_),
                                         true,
                                         &to == &spare_,
                                         false,
                                         {},
                                         true,
                                         true}));
  ++counters_.frames_sent;
}

void played_agent::dial(transport::transport& net, const std::string& node) {
  const std::lock_guard lock{mutex_};
  if (!main_.link) dial(main_, net, node);
}

void played_agent::dial_spare(transport::transport& net, const std::string& node) {
  const std::lock_guard lock{mutex_};
  const bool wanted = main_.welcomed && !spare_.link && main_.node != node && spare_at_ <= clock_.now();
  if (wanted) dial(spare_, net, node);
}

void played_agent::close() {
  const std::lock_guard lock{mutex_};
  if (main_.link) main_.link->close();
}

void played_agent::closed(std::uint64_t link) {
  const std::lock_guard lock{mutex_};
  if (link == spare_.number) {
    spare_ = {};
    spare_at_ = clock_.now() + longest_redial;
  }
  if (link != main_.number) return;
  ++counters_.disconnects;
  main_ = std::exchange(spare_, {});
  if (main_.welcomed) return begin_sending();
  redial_at_ = clock_.now() + std::min(longest_redial, first_redial << std::min(failed_dials_++, 6U));
}

// Under mutex_.
void played_agent::begin_sending() {
  sent_bytes_ = 0;
  fresh_ = true;
  failed_dials_ = 0;
  next_to_send_ = first_;
  ++counters_.connects;
}

void played_agent::received(std::uint64_t link, const transport::frame& f) {
  const auto message = wire::decode(f, plan_.incarnation(who_));
  const std::lock_guard lock{mutex_};
  const nanos now = clock_.now();  // after all that was sealed of what waits
  end* const at = link == main_.number ? &main_ : link == spare_.number ? &spare_ : nullptr;
  if (at == nullptr || !at->link) return;
  if (!message) {
    ++counters_.messages_refused;
  } else if (const auto* p = std::get_if<wire::ping>(&*message)) {
    at->link->send(wire::encode(wire::pong{p->id, plan_.reading(who_, now)}));
    ++counters_.frames_sent;
    at->waiting.pinged(now, p->next_ms * millisecond, sender(*at));
  } else if (const auto* a = std::get_if<wire::acknowledgement>(&*message)) {
    for (std::uint64_t n = 0; n < a->count(); ++n) acknowledged(a->batch + n, now);
  } else if (const auto* c = std::get_if<wire::credit>(&*message)) {
    at->credit = std::max(at->credit, c->bytes);
  } else if (const auto* w = std::get_if<wire::welcome>(&*message)) {
    at->credit = w->credit ? 0 : UINT64_MAX;
    at->packed = plan_.options().packed && w->packed >= wire::packed_form;
    at->welcomed = true;
    if (at == &main_) begin_sending();
  } else if (std::holds_alternative<wire::goodbye>(*message)) {
    ++counters_.goodbyes;
  }
}

// Under mutex_.
void played_agent::acknowledged(std::uint64_t number, nanos now) {
  if (number < first_ || number >= first_ + kept_.size()) return;
  kept& k = kept_[number - first_];
  if (std::exchange(k.acknowledged, true)) return;
  ++counters_.batches_acknowledged;
  if (k.flows) {
    counters_.flows_acknowledged += k.count;
    const auto steps = static_cast<std::size_t>(std::max<nanos>(0, now - k.sealed) / fleet_counters::step);
    ++counters_.acknowledged_after[std::min(steps, counters_.acknowledged_after.size() - 1)];
  }
  while (!kept_.empty() && kept_.front().acknowledged) {
    kept_.pop_front();
    ++first_;
  }
  next_to_send_ = std::max(next_to_send_, first_);
}

std::size_t played_agent::send_next() {
  std::uint64_t number = 0;
  kept k;
  transport::link_ptr link;
  bool packed = false;
  {
    const std::lock_guard lock{mutex_};
    if (!main_.welcomed || !main_.link || sent_bytes_ >= main_.credit) return 0;
    while (next_to_send_ < first_ + kept_.size() && kept_[next_to_send_ - first_].acknowledged)
      ++next_to_send_;
    if (next_to_send_ >= first_ + kept_.size()) return 0;
    number = next_to_send_++;
    k = kept_[number - first_];
    kept_[number - first_].sent = true;
    link = main_.link;
    packed = main_.packed;
  }
  if (k.sent) ++counters_.batches_repeated;
  if (k.flows) (k.sent ? counters_.flows_repeated : counters_.flows_sent) += k.count;
  auto frame = k.flows ? encode_flows(number, k, packed) : encode_evidence(number, k);
  const std::size_t bytes = frame.size() * sizeof(frame[0]);
  {
    const std::lock_guard lock{mutex_};
    // A connection that was made meanwhile is not sent this batch before its own turn.
    if (main_.link == link) {
      sent_bytes_ += bytes;
      main_.waiting.put(std::move(frame), !k.sent && sent_bytes_ < main_.credit, clock_.now(), sender(main_));
    }
  }
  ++counters_.batches_sent;
  return bytes;
}

void played_agent::look_at_waiting(nanos now) {
  const std::lock_guard lock{mutex_};
  if (main_.link) main_.waiting.look(now, sender(main_));
}

wire::frame played_agent::encode_flows(std::uint64_t number, const kept& k, bool packed) {
  const auto planned = plan_.batch(who_, number, k.sealed);
  auto& b = bench_.tables;
  b.number = number;
  b.workloads.resize(planned.near.size());
  b.tenancies.clear();
  for (std::size_t i = 0; i < planned.near.size(); ++i) {
    const auto& h = planned.near[i];
    b.workloads[i].name = plan_.workload_name(h.workload);
    if (!packed)
      b.tenancies.push_back({h.tenancy, {plan_.address_of(h.address), 0}, static_cast<workload_id>(i + 1)});
  }
  const auto read = [this](nanos& at) { at = plan_.reading(who_, at); };
  return wire::encode_made(packed, b, k.count, [&](std::uint32_t index, flow& f) {
    plan_.draw(planned, index, f);
    read(f.times.opened);
    read(f.times.established);
    read(f.times.last_received);
    read(f.times.closed);
  });
}

const std::vector<holding>& played_agent::holdings(nanos sealed, nanos since) {
  auto& b = bench_;
  if (b.agent != who_ || b.sealed != sealed || b.since != since) {
    b.holdings.clear();
    plan_.holdings(who_, since, sealed, b.holdings);
    b.agent = who_;
    b.sealed = sealed;
    b.since = since;
  }
  return b.holdings;
}

wire::frame played_agent::encode_evidence(std::uint64_t number, const kept& k) {
  const auto& held = holdings(k.sealed, k.since);
  auto& b = std::get<wire::batch>(bench_.evidence);
  b.number = number;
  b.workloads.clear();
  b.tenancies.clear();
  b.evidence.clear();
  auto& places = bench_.workload_places;
  places.assign(plan_.options().workloads, 0);
  for (std::uint32_t i = k.first; i < k.first + k.count; ++i) {
    const auto& h = held[i];
    auto& place = places[h.workload];
    if (place == 0) {
      b.workloads.push_back({plan_.workload_name(h.workload), {}});
      place = static_cast<std::uint32_t>(b.workloads.size());
    }
    const endpoint at{plan_.address_of(h.address), 0};
    b.tenancies.push_back({h.tenancy, at, workload_id{place}});
    b.evidence.push_back({.endpoint = at,
                          .tenancy = h.tenancy,
                          .workload = workload_id{place},
                          .from = plan_.reading(who_, h.from),
                          .until = plan_.reading(who_, std::min(h.until, k.sealed))});
  }
  return wire::encode(bench_.evidence);
}

}  // namespace tenure::load
