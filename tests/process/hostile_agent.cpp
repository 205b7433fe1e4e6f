#include "tests/process/hostile_agent.hpp"

#include <utility>
#include <variant>

namespace tenure::testing {

struct hostile_agent::heard {
  mutable std::mutex mutex;
  transport::link_ptr link;  // to answer pings over
  bool welcomed = false;
  bool closed = false;
  std::uint64_t acknowledged = 0;
  std::string goodbye;
};

hostile_agent::hostile_agent(transport::transport& net, const std::string& node, std::uint64_t incarnation,
                             const std::string& name, bool knows_credit)
    : incarnation_(incarnation), heard_(std::make_shared<heard>()) {
  const std::lock_guard lock{heard_->mutex};
  link_ = net.dial(node, {[h = heard_, clock = clock_](const transport::frame& f) {
                            const auto m = wire::decode(f, 0);
                            if (!m) return;
                            const std::lock_guard inner{h->mutex};
                            if (const auto* p = std::get_if<wire::ping>(&*m); p && h->link)
                              h->link->send(wire::encode(wire::pong{p->id, clock.now()}));
                            if (const auto* g = std::get_if<wire::goodbye>(&*m)) h->goodbye = g->reason;
                            if (std::holds_alternative<wire::welcome>(*m)) h->welcomed = true;
                            if (const auto* a = std::get_if<wire::acknowledgement>(&*m))
                              h->acknowledged = std::max(h->acknowledged, a->batch);
                          },
                          [h = heard_](transport::close_reason) {
                            const std::lock_guard inner{h->mutex};
                            h->closed = true;
                            h->link.reset();
                          }});
  heard_->link = link_;
  link_->send(wire::encode(wire::hello{.incarnation = incarnation, .agent = name, .credit = knows_credit}));
}

hostile_agent::~hostile_agent() {
  link_->close();
}

void hostile_agent::send(wire::frame f) {
  link_->send(std::move(f));
}

bool hostile_agent::welcomed() const {
  const std::lock_guard lock{heard_->mutex};
  return heard_->welcomed;
}

bool hostile_agent::closed() const {
  const std::lock_guard lock{heard_->mutex};
  return heard_->closed;
}

std::uint64_t hostile_agent::acknowledged() const {
  const std::lock_guard lock{heard_->mutex};
  return heard_->acknowledged;
}

std::string hostile_agent::farewell() const {
  const bool ended = eventually([this] { return closed(); }, std::chrono::seconds{60});
  const std::lock_guard lock{heard_->mutex};
  return ended ? heard_->goodbye : "(open)";
}

wire::batch hostile_agent::claim(std::uint64_t number, const std::string& where, const std::string& workload,
                                 nanos since) const {
  wire::batch b;
  b.number = number;
  b.workloads.push_back({workload, {}});
  const endpoint e{*address::parse(where), 0};
  const tenancy_id id{incarnation_, number};
  b.tenancies.push_back({id, e, workload_id{1}});
  b.evidence.push_back({e, id, workload_id{1}, now() - since, now(), 0, 0});
  return b;
}

}  // namespace tenure::testing
