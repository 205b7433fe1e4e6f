#include "sim/network.hpp"

#include <algorithm>
#include <variant>

#include "capnp/codec.hpp"
#include "capnp/compression.hpp"

namespace tenure::sim {

using tenure::transport::close_reason;
using tenure::transport::link_events;
using tenure::transport::link_ptr;

namespace {

constexpr nanos retransmission_timeout = 200 * millisecond;
constexpr int most_retransmissions = 8;
constexpr nanos paused_look = 100 * millisecond;

}  // namespace

struct network::end final : tenure::transport::link, std::enable_shared_from_this<end> {
  network* net = nullptr;
  std::weak_ptr<port> owner;
  std::weak_ptr<end> other;
  end_ptr kept_other;        ///< the dialling side keeps the accepted one alive, as nobody else may
  std::uint64_t number = 0;  ///< of the link
  machine_id here = 0;
  machine_id there = 0;
  std::string name;
  link_events events;
  bool up = false;      ///< the other end exists
  bool open = true;     ///< neither side closed, as far as this end knows
  bool closed = false;  ///< `closed` was called, or never will be
  bool armed = false;
  bool older = false;  ///< a node's that reads no packed batches
  nanos blocked_since = time_max;
  std::deque<packet> incoming;
  std::vector<packet> before_up;

  void send(tenure::transport::frame f) override {
    if (!open) return;
    packet p;
    p.bytes = std::move(f);
    if (net->tap_ != nullptr) net->tap_->sent(number, here, p.bytes);
    if (up)
      net->transmit(*this, std::move(p));
    else
      before_up.push_back(std::move(p));
  }
  void close() override {
    if (!open) return;
    packet p;
    p.last = true;
    if (up) net->transmit(*this, std::move(p));
    open = false;
    net->time_.after(
        1, [self = shared_from_this()] { self->net->hear_closed(self, close_reason::closed_here); });
  }
  std::string peer() const override { return name; }
};

network::network(agenda& time, random draw, trace_hash& trace, fault_counts& faults,
                 network_conditions conditions)
    : time_(time), draw_(draw), trace_(trace), faults_(faults), conditions_(conditions) {}

std::shared_ptr<network::port> network::connect(machine_id machine, process& p) {
  return std::make_shared<port>(*this, machine, p);
}

nanos network::draw_delay() {
  nanos delay = draw_.between(conditions_.delay_min, conditions_.delay_max);
  for (int i = 0; i < most_retransmissions && draw_.chance(conditions_.loss); ++i) {
    delay += retransmission_timeout << std::min(i, 5);
    faults_.add(fault::frame_lost);
  }
  return delay;
}

namespace {

bool is_packed(const transport::frame& f) {
  const auto whole = wire::expand(std::make_shared<const transport::frame>(f));
  return whole && wire::is_packed(**whole);
}

}  // namespace

/// What a node of before packed batches says in place of this, in some cases; any other frame stays as it is.
void network::make_older(end& from, transport::frame& welcome) {
  auto said = wire::decode(welcome, 0);
  auto* const w = said ? std::get_if<wire::welcome>(&*said) : nullptr;
  if (w == nullptr || !draw_.chance(conditions_.older)) return;
  w->packed = 0;
  from.older = true;
  welcome = wire::encode(*said);
  faults_.add(fault::node_older);
}

void network::transmit(end& from, packet p) {
  const auto to = from.other.lock();
  if (!to) return;
  if (conditions_.older > 0 && !p.last) make_older(from, p.bytes);
  if (to->older && !p.last && is_packed(p.bytes)) {
    break_link(to, close_reason::closed_there);  // as by a node that is sent what it does not know
    return;
  }
  ++frames_;
  nanos due = time_.now() + draw_delay();
  if (const auto c = clogged_.find(from.here); c != clogged_.end()) due = std::max(due, c->second);
  if (!to->incoming.empty()) due = std::max(due, to->incoming.back().due);
  p.sent = time_.now();
  p.due = due;
  to->incoming.push_back(std::move(p));
  arm(to, to->incoming.front().due);
}

/// Whether this is an acknowledgement that never arrives, as its link ends.
bool network::loses(const end_ptr& to, const packet& p) {
  const bool dialled = to->kept_other != nullptr;
  if (!dialled || p.last || conditions_.unacknowledged <= 0 || !draw_.chance(conditions_.unacknowledged))
    return false;
  const auto message = wire::decode(p.bytes, 0);
  const bool confirms = message && (std::holds_alternative<wire::acknowledgement>(*message) ||
                                    std::holds_alternative<wire::settled>(*message));
  if (!confirms) return false;
  faults_.add(fault::acknowledgement_lost);
  return true;
}

void network::arm(const end_ptr& to, nanos at) {
  if (to->armed) return;
  to->armed = true;
  time_.at(std::max(at, time_.now()), [this, to] {
    to->armed = false;
    pump(to);
  });
}

void network::pump(const end_ptr& to) {
  while (!to->incoming.empty() && !to->closed) {
    const nanos now = time_.now();
    if (to->incoming.front().due > now) {
      arm(to, to->incoming.front().due);
      return;
    }
    if (blocked(to->there, to->here)) {
      faults_.add(fault::frame_blocked);
      to->blocked_since = std::min(to->blocked_since, now);
      if (now - to->blocked_since > conditions_.break_after)
        break_link(to, close_reason::timed_out);
      else
        arm(to, now + second);
      return;
    }
    to->blocked_since = time_max;
    if (const auto owner = to->owner.lock();
        owner && owner->process_ != nullptr && owner->process_->paused()) {
      // Its system has the bytes; nothing in it reads them, not even the thread that answers pings.
      arm(to, now + paused_look);
      return;
    }
    packet p = std::move(to->incoming.front());
    to->incoming.pop_front();
    if (p.last) {
      to->open = false;
      hear_closed(to, p.why);
      return;
    }
    const auto owner = to->owner.lock();
    if (!owner || owner->process_ == nullptr) return;
    if (loses(to, p)) {
      break_link(to, close_reason::broken);
      return;
    }
    if (now - p.sent > 60 * second) faults_.add(fault::link_slow);
    trace_.add(static_cast<std::uint64_t>(now));
    trace_.add(to->here);
    trace_.add(p.bytes);
    to->events.received(std::move(p.bytes));
    if (owner->process_ != nullptr) owner->process_->run();
  }
}

void network::hear_closed(const end_ptr& e, close_reason why) {
  if (e->closed) return;
  e->closed = true;
  e->open = false;
  e->incoming.clear();
  e->kept_other.reset();
  auto events = std::move(e->events);
  e->events = {};
  const auto owner = e->owner.lock();
  if (!owner || owner->process_ == nullptr) return;
  trace_.add(static_cast<std::uint64_t>(why));
  if (events.closed) events.closed(why);
  if (owner->process_ != nullptr) owner->process_->run();
}

void network::break_link(const end_ptr& e, close_reason why) {
  const auto other = e->other.lock();
  // What is under way may still come, or not, for each direction by itself.
  for (const auto& side : {e, other}) {
    if (!side || side->closed) continue;
    if (draw_.chance(0.5)) {
      side->incoming.clear();
      time_.after(draw_delay(), [this, side, why] { hear_closed(side, why); });
      side->open = false;
    } else {
      packet p;
      p.last = true;
      p.why = why;
      p.due = side->incoming.empty() ? time_.now() + draw_delay() : side->incoming.back().due;
      side->incoming.push_back(std::move(p));
      side->open = false;
      arm(side, side->incoming.front().due);
    }
  }
}

bool network::cut_one() {
  std::erase_if(ends_, [](const auto& w) {
    const auto e = w.lock();
    return !e || e->closed;
  });
  if (ends_.empty()) return false;
  const auto e = ends_[draw_.below(ends_.size())].lock();
  if (!e->up) return false;
  break_link(e, close_reason::broken);
  return true;
}

void network::block(machine_id from, machine_id to, bool on) {
  if (on)
    blocked_.insert({from, to});
  else
    blocked_.erase({from, to});
}

void network::clog(machine_id from, nanos until) {
  clogged_[from] = until;
}

void network::disconnect(port& p) {
  if (p.process_ == nullptr) return;
  p.process_ = nullptr;
  for (const auto& w : p.ends_) {
    const auto e = w.lock();
    if (!e || e->closed) continue;
    const auto other = e->other.lock();
    e->closed = true;
    e->open = false;
    // The actors behind it have to end, though the process that they were in does nothing any more.
    const auto events = std::exchange(e->events, {});
    if (events.closed) events.closed(close_reason::broken);
    e->incoming.clear();
    e->kept_other.reset();
    if (other && !other->closed) {
      packet last;
      last.last = true;
      last.why = close_reason::broken;
      last.due = time_.now() + draw_delay();
      if (!other->incoming.empty()) last.due = std::max(last.due, other->incoming.back().due);
      other->incoming.push_back(std::move(last));
      arm(other, other->incoming.front().due);
    }
  }
  p.ends_.clear();
  std::erase_if(listeners_, [&p](const auto& l) {
    const auto owner = l.second.first.lock();
    return !owner || owner.get() == &p;
  });
}

void network::arrive(const end_ptr& near, const std::string& address) {
  if (near->closed) return;
  const auto l = listeners_.find(address);
  const auto listener = l == listeners_.end() ? nullptr : l->second.first.lock();
  if (!listener || listener->process_ == nullptr || draw_.chance(conditions_.refused)) {
    faults_.add(fault::dial_refused);
    near->open = false;
    hear_closed(near, close_reason::refused);
    return;
  }
  auto far = std::make_shared<end>();
  far->net = this;
  far->owner = listener;
  far->other = near;
  far->number = near->number;
  far->here = listener->machine_;
  far->there = near->here;
  far->name = "machine-" + std::to_string(near->here);
  far->up = true;
  near->there = far->here;
  near->other = far;
  near->kept_other = far;
  near->up = true;
  ends_.push_back(near);
  listener->ends_.push_back(far);
  far->events = l->second.second(far);
  for (auto& p : std::exchange(near->before_up, {})) transmit(*near, std::move(p));
  if (!near->open && !near->closed) {
    packet last;
    last.last = true;
    transmit(*near, std::move(last));
  }
  if (listener->process_ != nullptr) listener->process_->run();
}

link_ptr network::port::dial(const std::string& address, link_events events) {
  auto near = std::make_shared<end>();
  near->net = &net_;
  near->owner = shared_from_this();
  near->number = ++net_.links_;
  near->here = machine_;
  near->name = address;
  near->events = std::move(events);
  std::erase_if(ends_, [](const auto& w) { return w.expired(); });
  ends_.push_back(near);
  net_.time_.after(net_.draw_delay(), [net = &net_, near, address] { net->arrive(near, address); });
  return near;
}

std::vector<std::string> network::found(const std::string& address) const {
  std::vector<std::string> out;
  if (address == all_nodes)
    for (const auto& [at, listener] : listeners_)
      if (at.ends_with(":4740") && !listener.first.expired()) out.push_back(at);
  if (out.empty()) out.push_back(address);
  return out;
}

void network::port::resolve(const std::string& address, std::function<void(std::vector<std::string>)> done) {
  done(net_.found(address));
}

outcome<std::uint16_t> network::port::listen(const std::string& address, tenure::transport::acceptor accept) {
  net_.listeners_[address] = {shared_from_this(), std::move(accept)};
  return std::uint16_t{1};
}

}  // namespace tenure::sim
