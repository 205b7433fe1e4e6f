#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "ownership/address.hpp"
#include "ownership/endpoint.hpp"
#include "ownership/tenancy.hpp"
#include "ownership/time.hpp"

namespace tenure {

enum class transport_protocol : std::uint8_t { tcp = 6, udp = 17 };

/// Which end of the connection saw the flow: the one that opened it, or the other.
enum class reporter : std::uint8_t { source, destination };

/// Why a record was closed, named as in IPFIX (RFC 5102, flowEndReason).
enum class end_reason : std::uint8_t {
  idle_timeout = 1,
  active_timeout = 2,
  end_of_flow = 3,
  forced_end = 4,
  lack_of_resources = 5,
};

/// The stamps the rule judges by. All of one clock; `error` bounds how far each may be off.
struct flow_times {
  /// Our first SYN, or SYN-ACK, that was answered, was sent. time_min when that is not known.
  nanos opened = 0;
  /// The handshake was complete; only meaningful with `is_established`.
  nanos established = 0;
  /// The last segment that TCP accepted, never a RST; it may be stated earlier than it was, never later.
  nanos last_received = 0;
  /// The socket was gone.
  nanos closed = 0;
  /// A segment that we accepted was sent at most this long before. Not negative.
  nanos transit = 0;
  /// Not negative; unknown_error where the clock has no bound.
  nanos error = 0;
  /// False for a failed connect, and for UDP: then nothing is known of the far end but the life of the
  /// record.
  bool is_established = false;
};

/// Names one record, for ever, so that a repeat is recognised.
struct flow_id {
  std::uint64_t incarnation = 0;  ///< the agent's, as in tenancy_id
  std::uint64_t batch = 0;        ///< counts from 1 within the incarnation
  std::uint32_t index = 0;        ///< within the batch, from 0

  /// "00c0ffee00c0ffee-17-3"
  std::string to_string() const;
  friend constexpr auto operator<=>(const flow_id&, const flow_id&) = default;
};

struct flow_counters {
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint32_t segments_sent = 0;
  std::uint32_t segments_received = 0;
  std::uint32_t retransmits = 0;
  std::uint32_t srtt_us = 0;
  std::uint32_t min_rtt_us = 0;
  std::uint32_t connect_us = 0;

  friend bool operator==(const flow_counters&, const flow_counters&) = default;
};

/// One record about one transport connection as one end's kernel saw it.
struct flow {
  flow_id id;
  std::uint64_t connection = 0;  ///< unique within the agent's incarnation; parts of one connection share it
  std::uint32_t part = 0;        ///< from 0
  tenure::reporter reporter = reporter::source;
  transport_protocol transport = transport_protocol::tcp;
  end_reason end = end_reason::end_of_flow;
  address near_address;
  address far_address;
  std::uint16_t near_port = 0;
  std::uint16_t far_port = 0;
  /// The reporter's own end, as its kernel knew it when the connection was made; none where that is not
  /// proved.
  tenancy_id near_tenancy;
  workload_id near_workload = workload_id::none;
  flow_times times;
  flow_counters counters;
  /// TCP initial sequence numbers of each direction: they survive NAT, so both ends' records can be paired.
  std::uint32_t near_initial_sequence = 0;
  std::uint32_t far_initial_sequence = 0;
  std::uint16_t connect_errno = 0;  ///< errno of a failed connect, 0 otherwise
  /// Above 1 the record stands for so many connections between the same two ends, all of them within its
  /// `opened` and `closed`; `is_established` is false then, and the port that differed 0. It is attributed
  /// only if one tenancy held the far end all that time.
  std::uint32_t connections = 1;
  /// What the source asked to reach, where that is known not to be the destination that it reached: a
  /// service's address, say. Port 0: nothing else is known.
  endpoint dialled;
};

}  // namespace tenure
