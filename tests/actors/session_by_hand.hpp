#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "actors/session_protocol.hpp"

namespace tenure::actors {

inline constexpr nanos start = 100 * second;

/// The agent's side, by hand: its clock shows what ours does.
struct session_protocol_test : ::testing::Test {
  std::shared_ptr<session_settings> settings = std::make_shared<session_settings>();
  std::shared_ptr<workload_table> workloads = std::make_shared<workload_table>();
  std::shared_ptr<node_counters> counters = std::make_shared<node_counters>();
  std::unique_ptr<session_protocol> session;
  std::uint64_t last_ping = 0;
  bool packs = false;  // its batches

  void begin() { session = std::make_unique<session_protocol>(settings, workloads, counters); }

  outcome<session_reaction> say(const wire::message& m, nanos now) {
    session_reaction r;
    if (auto done = receive(m, now, r); !done) return tl::unexpected(done.error());
    session->renew_credit(r);
    for (const auto& s : r.send)
      if (const auto* p = std::get_if<wire::ping>(&s)) last_ping = p->id;
    return r;
  }
  outcome<void> receive(const wire::message& m, nanos now, session_reaction& r) {
    const auto* const b = packs ? std::get_if<wire::batch>(&m) : nullptr;
    const auto f = b != nullptr ? wire::encode_packed(*b) : wire::encode(m);
    return session->receive(std::make_shared<const wire::frame>(f), now, now, r);
  }

  session_reaction greet(nanos now = start) {
    auto r = session->connected({.incarnation = 9, .agent = "a", .credit = true}, now);
    for (const auto& s : r.send)
      if (const auto* p = std::get_if<wire::ping>(&s)) last_ping = p->id;
    return r;
  }

  /// The only flow of this batch is durable.
  session_reaction durable(std::uint64_t number, nanos now = start) {
    session->durable(number, {1}, 0);
    auto r = session->after_durable(now);
    for (const auto& s : r.send)
      if (const auto* p = std::get_if<wire::ping>(&s)) last_ping = p->id;
    return r;
  }

  wire::batch batch(std::uint64_t number, nanos from, nanos until) {
    wire::batch b;
    b.number = number;
    b.workloads.push_back({"checkout", {}});
    const tenancy_id id{9, 1};
    const endpoint where{*address::parse("10.0.0.1"), 0};
    b.tenancies.push_back({id, where, workload_id{1}});
    b.evidence.push_back({where, id, workload_id{1}, from, until, 0, 0});
    return b;
  }

  static std::vector<flow> flows_of(const placed_batch& placed) {
    std::vector<flow> out;
    for (const auto& rows : placed.flows) {
      // The cursor reads beyond the last row, within its slack.
      std::vector<std::byte> bytes(rows.bytes().begin(), rows.bytes().end());
      bytes.resize(bytes.size() + hold::row_slack);
      hold::row_cursor at(rows.base(), bytes.data());
      for (std::uint32_t n = 0; n < rows.count(); ++n) at.next(out.emplace_back());
    }
    return out;
  }

  static wire::batch with_flow(wire::batch b, nanos closed) {
    flow f;
    f.id = {9, b.number, 0};
    f.near_address = *address::parse("10.0.0.1");
    f.far_address = *address::parse("10.0.0.2");
    f.near_port = 1;
    f.far_port = 2;
    f.near_tenancy = {9, 1};
    f.near_workload = workload_id{1};
    f.times = {closed - second, closed - second, closed, closed, 0, 0, true};
    b.flows.push_back(f);
    return b;
  }
};

}  // namespace tenure::actors
