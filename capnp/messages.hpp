#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ownership/evidence.hpp"
#include "ownership/flow.hpp"

/// The messages of capnp/wire.capnp as plain values. The schema says who may send what, and when.
namespace tenure::wire {

inline constexpr std::uint32_t protocol_version = 1;
/// The form of rows in packed batches that is written and read here.
inline constexpr std::uint8_t packed_form = 1;

/// Bounds of what is said; decode refuses more, so whoever makes messages keeps to them.
/// Texts: names and reasons are for people and logs.
inline constexpr std::size_t max_name_bytes = 256;
/// Lists of a batch: the room that a reader makes stays within a few times the frame's own size.
inline constexpr std::size_t max_batch_flows = 16'384;
inline constexpr std::size_t max_batch_evidence = 16'384;
inline constexpr std::size_t max_batch_tenancies = 16'384;
inline constexpr std::size_t max_batch_workloads = 4'096;
inline constexpr std::size_t max_workload_labels = 64;
inline constexpr std::size_t max_settled_lots = 16'384;
inline constexpr std::size_t max_acknowledged_run = 16'384;
inline constexpr std::size_t max_settings_bytes = 64U << 10;
inline constexpr std::size_t max_hello_brackets = 128;

/// Whether a text may go into a message: UTF-8 without control characters (it reaches terminals and logs),
/// and at most max_name_bytes. The empty text is one, but no workload's name.
bool valid_text(std::string_view text);

/// What of a text may go into a message: control characters become spaces, and it ends before its bound or
/// before the first bytes that are not UTF-8.
std::string as_text(std::string_view text);

/// What a node knows of an agent's clock, for the agent to keep: it outlives the node's process.
struct clock_bracket {
  std::uint64_t clock = 0;  ///< which clock of a node; 0: nothing is said
  nanos sent = 0;
  nanos received = 0;
  nanos reading = 0;  ///< the agent's, made in [sent, received] of the node's
  friend bool operator==(const clock_bracket&, const clock_bracket&) = default;
};

struct hello {
  std::uint32_t version = protocol_version;
  std::uint64_t incarnation = 0;
  std::string agent;
  bool credit = false;    ///< it knows credit
  bool spare = false;     ///< its batches go to another node for now
  bool settings = false;  ///< it knows settings
  /// What nodes told it of their clocks; of each clock in the order of readings.
  std::vector<clock_bracket> brackets = {};
  bool runs = false;   ///< it knows an acknowledgement of several batches
  bool waits = false;  ///< it lets batches wait for a ping that was promised
  friend bool operator==(const hello&, const hello&) = default;
};

struct welcome {
  std::uint32_t version = protocol_version;
  std::string node;
  bool credit = false;      ///< it gives credit to agents that know it
  bool compressed = false;  ///< it reads compressed
  std::uint8_t packed = 0;  ///< it reads packed batches of this form of rows and earlier ones; 0: none
  friend bool operator==(const welcome&, const welcome&) = default;
};

struct ping {
  std::uint64_t id = 0;
  std::uint32_t agents = 0;   ///< whose batches come to the node that asks, plus one; 0: it does not say
  clock_bracket known = {};   ///< of the agent's clock
  std::uint32_t next_ms = 0;  ///< within which the next ping comes; 0: none is promised
  friend bool operator==(const ping&, const ping&) = default;
};

struct pong {
  std::uint64_t id = 0;
  nanos reading = 0;
  friend bool operator==(const pong&, const pong&) = default;
};

struct goodbye {
  std::string reason;
  bool leaving = false;  ///< a node that ends: others take over
  friend bool operator==(const goodbye&, const goodbye&) = default;
};

struct acknowledgement {
  std::uint64_t batch = 0;
  std::uint64_t through = 0;  ///< the last one of a run that begins with `batch`; 0: it is the only one

  std::uint64_t last() const { return through == 0 ? batch : through; }
  std::uint64_t count() const { return last() - batch + 1; }
  friend bool operator==(const acknowledgement&, const acknowledgement&) = default;
};

struct workload {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;
  friend bool operator==(const workload&, const workload&) = default;
};

/// How many bytes of batches an agent may have sent over this connection before it begins another one.
struct credit {
  std::uint64_t bytes = 0;
  friend bool operator==(const credit&, const credit&) = default;
};

/// What a batch says of one tenancy.
struct tenancy_entry {
  tenancy_id id;
  tenure::endpoint endpoint;
  workload_id workload = workload_id::none;
  friend bool operator==(const tenancy_entry&, const tenancy_entry&) = default;
};

/// What the source of a flow dialled.
struct dialled_entry {
  std::uint32_t flow = 0;  ///< index into a batch's flows
  endpoint dialled;
};

/// What an agent sends and retains. Stamps are of the agent's boot-time clock. Within a batch, a workload_id
/// is 1 + the index into `workloads`, and every tenancy that evidence or a flow names stands in `tenancies`
/// (of a packed batch, those that only flows name get the near address of one of these as their endpoint).
/// On the wire, tenancies carry only their sequence; the decoder adds the incarnation that the connection's
/// hello gave.
struct batch {
  std::uint64_t number = 0;
  std::vector<workload> workloads;
  std::vector<tenancy_entry> tenancies;
  std::vector<tenure::evidence> evidence;
  std::vector<tenure::flow> flows;
};

struct peer_hello {
  std::uint32_t version = protocol_version;
  std::uint64_t incarnation = 0;
  std::string node;
  friend bool operator==(const peer_hello&, const peer_hello&) = default;
};

struct peer_welcome {
  std::uint32_t version = protocol_version;
  std::uint64_t incarnation = 0;
  std::string node;
  std::uint64_t credit = 0;  ///< bytes of lots
  std::uint64_t age = 0;     ///< nanoseconds since it started
  friend bool operator==(const peer_welcome&, const peer_welcome&) = default;
};

/// Of one agent's batch, what belongs to one node. Stamps are of the sending node's clock. The ids of
/// tenancies and flows are of `incarnation`, those of flows also of `content.number`, and their indices
/// increase.
struct lot {
  std::uint64_t id = 0;
  std::string agent;
  std::uint64_t incarnation = 0;
  batch content;
  bool handed_over = false;  ///< evidence out of timelines that move
};

struct settled {
  std::vector<std::uint64_t> lots;
  friend bool operator==(const settled&, const settled&) = default;
};

/// What an operator wants of agents (docs/agent.md).
struct settings {
  std::uint64_t version = 0;
  std::string text;  ///< TOML
  friend bool operator==(const settings&, const settings&) = default;
};

/// Another message's frame; see capnp/compression.hpp.
struct compressed {
  std::uint32_t bytes = 0;  ///< of that frame
  std::string content;      ///< one zstd frame
  friend bool operator==(const compressed&, const compressed&) = default;
};

using message = std::variant<hello, welcome, ping, pong, batch, acknowledgement, goodbye, peer_hello,
                             peer_welcome, lot, settled, credit, settings, compressed>;

}  // namespace tenure::wire
