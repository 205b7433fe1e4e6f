#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "actors/exporter.hpp"
#include "actors/node.hpp"
#include "sinks/record_sink.hpp"
#include "transport/transport.hpp"

/// The world that the actors stand on in these tests: virtual time, links in memory, records in a vector.
namespace tenure::actors::testing {

struct virtual_clock final : node_clock, agent::boot_clock {
  nanos time = 1000 * second;
  nanos now() const override { return time; }
  nanos to_utc() const override { return 0; }
};

/// What reached the sink.
struct written_record {
  flow_id id;
  std::string near;
  std::string far;
  tenure::reason reason = reason::none;
  std::string agent;
};

struct memory_sink final : sinks::record_sink {
  std::vector<written_record> written;
  std::size_t durable = 0;
  bool broken = false;
  bool no_room = false;      ///< nothing more becomes durable
  bool has_enough = false;   ///< busy
  bool tells_later = false;  ///< a sync has not ended until `tell`
  /// Syncs that have not ended, with how much was written when they began.
  std::deque<std::pair<std::size_t, sinks::settled>> under_way;

  outcome<void> append(std::span<const sinks::flow_record> records, const sinks::record_context& c) override;
  outcome<void> make_durable() override;
  void make_durable_then(sinks::settled done) override;
  /// The oldest sync ends; @returns whether there was one.
  bool tell();
  bool busy() const override { return has_enough; }
  bool full() const override { return no_room && durable < written.size(); }
};

/// Links in memory. Nothing arrives until `deliver` is called, in the order of sending for each direction.
class memory_transport final : public transport::transport {
 public:
  tenure::transport::link_ptr dial(const std::string& address,
                                   tenure::transport::link_events events) override;
  outcome<std::uint16_t> listen(const std::string& address, tenure::transport::acceptor accept) override;
  void stop() override;

  /// Hands over what was sent; @returns whether there was anything.
  bool deliver();
  /// Breaks all links; both ends hear it.
  void cut();
  /// While false, dials are refused.
  bool reachable = true;
  std::size_t dials = 0;  ///< so far
  /// Nodes are as they were before they read packed batches.
  bool older = false;
  std::size_t packed = 0;  ///< batches that were sent so, so far

 private:
  struct end;
  struct event {
    std::shared_ptr<end> to;
    std::function<void(tenure::transport::link_events&)> what;
  };
  std::deque<event> under_way_;
  std::vector<std::shared_ptr<end>> ends_;
  tenure::transport::acceptor accept_;
};

/// Every address is on the interface of one namespace, except those in `missing`.
struct scripted_addresses final : agent::address_check {
  std::vector<address> missing;
  outcome<agent::netns_ref> open(const std::string& path) override { return agent::netns_ref{path, 7}; }
  outcome<agent::netns_ref> find(address) override { return agent::netns_ref{"/run/netns/only", 7}; }
  std::vector<bool> held(const agent::netns_ref& ns, const std::vector<address>& addresses) override;
};

struct scripted_identities final : agent::identity_map {
  std::map<agent::identity_key, tenancy_id> entries;
  outcome<void> put(const agent::identity_key& key, tenancy_id tenancy) override;
  outcome<void> erase(const agent::identity_key& key) override;
};

struct deterministic_config : caf::actor_system_config {
  deterministic_config();
};

/// One actor system on CAF's test coordinator, with everything above.
class world {
 public:
  world();
  ~world();

  /// Runs what is ready and delivers what was sent until nothing is left to do at this time.
  void settle();
  /// Lets time pass in steps, firing what falls due and settling after each.
  void advance(nanos span);
  /// Time passes, and what its timers set off waits for `settle`.
  void pass(nanos span);
  /// What the first that has something to do does in one turn. @returns whether there was any
  bool turn() { return scheduler_.try_run_once(); }
  bool newest_first = false;  ///< of actors that have something to do, the latest has its turn first
  std::string stands_still;   ///< actors of this name get no turn of `settle` and `advance`
  /// What the node answers to a drain.
  /// @param meanwhile called before each sync of an output that tells later has ended
  bool drain(const std::function<void()>& meanwhile = {});
  /// Stops node and exporter in the end; called by the destructor.
  void stop();

  exporter_actor start_agent(exporter_settings settings, exporter_spool spool = {});
  /// @returns the reply line to a request
  std::string ipman(const exporter_actor& agent, agent::ipman_request request);

  std::shared_ptr<virtual_clock> clock = std::make_shared<virtual_clock>();
  std::shared_ptr<memory_transport> links = std::make_shared<memory_transport>();
  std::shared_ptr<memory_sink> sink = std::make_shared<memory_sink>();
  std::shared_ptr<scripted_addresses> addresses = std::make_shared<scripted_addresses>();
  std::shared_ptr<scripted_identities> identities = std::make_shared<scripted_identities>();
  std::shared_ptr<agent_counters> exported = std::make_shared<agent_counters>();
  bool node_failed = false;

  void start_node(node_settings settings);
  node running;

 private:
  deterministic_config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_;
  std::vector<exporter_actor> agents_;
};

}  // namespace tenure::actors::testing
