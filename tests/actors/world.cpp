#include "tests/actors/world.hpp"

#include <algorithm>

#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include "capnp/codec.hpp"

namespace tenure::actors::testing {

using tenure::transport::close_reason;
using tenure::transport::frame;
using tenure::transport::link_events;
using tenure::transport::link_ptr;

outcome<void> memory_sink::append(std::span<const sinks::flow_record> records,
                                  const sinks::record_context& c) {
  if (broken) return fail(trouble::refused, "the disk is gone");
  for (const auto& r : records)
    written.push_back({r.flow.id, std::string{c.workloads.name(r.flow.near_workload)},
                       std::string{c.workloads.name(r.far.workload)}, r.far.reason, std::string{r.agent}});
  return {};
}

outcome<void> memory_sink::make_durable() {
  if (broken) return fail(trouble::refused, "the disk is gone");
  if (!no_room) durable = written.size();
  return {};
}

void memory_sink::make_durable_then(sinks::settled done) {
  if (!tells_later) return record_sink::make_durable_then(std::move(done));
  under_way.emplace_back(written.size(), std::move(done));
}

bool memory_sink::tell() {
  if (under_way.empty()) return false;
  auto [covered, done] = std::move(under_way.front());
  under_way.pop_front();
  if (broken) {
    done(fail(trouble::refused, "the disk is gone"));
  } else {
    if (!no_room) durable = covered;
    done(!no_room);
  }
  return true;
}

namespace {

constexpr std::uint16_t packed_tag = 14;  // of schema::Message

/// What kind of message it is: the union's tag stands in the root's first word.
std::uint16_t tag_of(const frame& f) {
  return f.size() > 2 ? static_cast<std::uint16_t>(f[2]) : 0;
}

frame without_packed(frame f) {
  auto said = wire::decode(f, 0);
  auto* const w = said ? std::get_if<wire::welcome>(&*said) : nullptr;
  if (w == nullptr) return f;
  w->packed = 0;
  return wire::encode(*said);
}

}  // namespace

struct memory_transport::end final : tenure::transport::link, std::enable_shared_from_this<end> {
  memory_transport* owner = nullptr;
  std::weak_ptr<end> other;
  link_events events;
  bool open = true;

  void send(frame f) override {
    if (owner->older) f = without_packed(std::move(f));
    if (tag_of(f) == packed_tag) ++owner->packed;
    if (const auto o = other.lock(); open && o)
      owner->under_way_.push_back({o, [f = std::move(f)](link_events& e) { e.received(f); }});
  }
  void close() override { drop(close_reason::closed_here, close_reason::closed_there); }
  std::string peer() const override { return "memory"; }

  void drop(close_reason here, close_reason there) {
    if (!open) return;
    open = false;
    owner->under_way_.push_back({shared_from_this(), [here](link_events& e) { e.closed(here); }});
    if (const auto o = other.lock(); o && o->open) {
      o->open = false;
      owner->under_way_.push_back({o, [there](link_events& e) { e.closed(there); }});
    }
  }
};

link_ptr memory_transport::dial(const std::string&, link_events events) {
  ++dials;
  auto near = std::make_shared<end>();
  near->owner = this;
  near->events = std::move(events);
  ends_.push_back(near);
  if (!reachable || !accept_) {
    near->drop(close_reason::refused, close_reason::refused);
    return near;
  }
  auto far = std::make_shared<end>();
  far->owner = this;
  near->other = far;
  far->other = near;
  ends_.push_back(far);
  far->events = accept_(far);
  return near;
}

outcome<std::uint16_t> memory_transport::listen(const std::string&, tenure::transport::acceptor accept) {
  accept_ = std::move(accept);
  return std::uint16_t{1};
}

bool memory_transport::deliver() {
  const bool any = !under_way_.empty();
  while (!under_way_.empty()) {
    event e = std::move(under_way_.front());
    under_way_.pop_front();
    e.what(e.to->events);
  }
  return any;
}

void memory_transport::cut() {
  under_way_.clear();
  for (const auto& e : ends_) e->drop(close_reason::broken, close_reason::broken);
}

void memory_transport::stop() {
  for (const auto& e : ends_) e->close();
  deliver();
  for (const auto& e : ends_) e->events = {};
  ends_.clear();
  accept_ = nullptr;
}

std::vector<bool> scripted_addresses::held(const agent::netns_ref&, const std::vector<address>& asked) {
  std::vector<bool> out;
  for (const auto& a : asked) out.push_back(std::find(missing.begin(), missing.end(), a) == missing.end());
  return out;
}

outcome<void> scripted_identities::put(const agent::identity_key& key, tenancy_id tenancy) {
  entries[key] = tenancy;
  return {};
}

outcome<void> scripted_identities::erase(const agent::identity_key& key) {
  entries.erase(key);
  return {};
}

deterministic_config::deterministic_config() {
  add_message_types<caf::id_block::tenure>();
  set("scheduler.policy", caf::atom("testing"));
  set("logger.inline-output", true);
}

world::world()
    : system_(config_), scheduler_(dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())) {}

world::~world() {
  stop();
}

void world::start_node(node_settings settings) {
  running = actors::start_node(system_, settings, {clock, sink, [this] { node_failed = true; }});
  EXPECT_TRUE(links->listen("", running.accept));
}

exporter_actor world::start_agent(exporter_settings settings, exporter_spool spool) {
  auto handle =
      system_.spawn(exporter, std::move(settings),
                    exporter_world{clock, identities, addresses, links, std::move(spool)}, exported);
  agents_.push_back(handle);
  return handle;
}

void world::settle() {
  for (bool busy = true; busy;) {
    busy = false;
    if (!stands_still.empty())
      busy = scheduler_.run_jobs_filtered([this](caf::resumable* r) {
        const auto* const a = dynamic_cast<caf::scheduled_actor*>(r);
        return a == nullptr || a->name() != stands_still;
      }) > 0;
    else
      while (newest_first ? scheduler_.try_run_once_lifo() : scheduler_.try_run_once()) busy = true;
    if (links->deliver()) busy = true;
  }
}

void world::advance(nanos span) {
  constexpr nanos step = 10 * millisecond;
  for (nanos left = span; left > 0; left -= step) {
    const nanos now = std::min(step, left);
    clock->time += now;
    scheduler_.advance_time(std::chrono::nanoseconds{now});
    settle();
  }
}

void world::pass(nanos span) {
  clock->time += span;
  scheduler_.advance_time(std::chrono::nanoseconds{span});
}

std::string world::ipman(const exporter_actor& agent, agent::ipman_request request) {
  caf::scoped_actor asker{system_};
  auto handle = asker->request(agent, caf::infinite, ipman_atom_v,
                               std::make_shared<const agent::ipman_request>(std::move(request)));
  settle();
  std::string reply;
  handle.receive([&](std::string& line) { reply = std::move(line); },
                 [&](caf::error& e) { reply = to_string(e); });
  return reply;
}

bool world::drain(const std::function<void()>& meanwhile) {
  caf::scoped_actor asker{system_};
  auto handle = asker->request(running.root, caf::infinite, drain_atom_v);
  settle();
  while (asker->mailbox().empty() && !sink->under_way.empty()) {
    if (meanwhile) meanwhile();
    sink->tell();
    settle();
  }
  bool answer = false;
  handle.receive([&](bool all) { answer = all; }, [](caf::error&) {});
  return answer;
}

void world::stop() {
  links->stop();
  for (const auto& a : agents_) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  if (running.root) caf::anon_send(running.root, stop_atom_v);
  agents_.clear();
  running = {};
  while (scheduler_.try_run_once()) {
  }
}

}  // namespace tenure::actors::testing
