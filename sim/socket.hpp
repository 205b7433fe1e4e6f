#pragma once

#include <array>
#include <cstdint>

#include "ownership/flow.hpp"
#include "sim/truth.hpp"

namespace tenure::sim {

enum class socket_phase : std::uint8_t { absent, opening, established, closed };

/// One end of a connection, as its kernel keeps it. Stamps are true time.
struct tcp_socket {
  socket_phase phase = socket_phase::absent;
  instance_id owner = no_instance;
  tenancy_id stamp;                ///< from the identity maps, when it was made
  instance_id peer = no_instance;  ///< whose segments it accepts
  bool before_agent = false;       ///< the agent that runs found it open, at `established` if that was over
  nanos opened = 0;
  nanos established = 0;
  nanos last_received = 0;
  std::uint32_t exchanges_left = 0;
  std::uint32_t segments_received = 0;
  std::uint32_t segments_sent = 0;
  std::uint32_t tries = 0;
  std::uint64_t timer = 0;  ///< only the latest timer counts

  bool open() const { return phase == socket_phase::opening || phase == socket_phase::established; }
};

/// A connection with its opening end and the ends that answered: several, when the address changed hands
/// between two SYNs.
struct connection {
  std::uint64_t number = 0;
  address client_address;
  address server_address;
  std::uint16_t client_port = 0;
  std::uint16_t server_port = 0;
  nanos first_syn = 0;
  bool masqueraded = false;  ///< client_address is another instance's, which passes its segments on
  tcp_socket client;
  std::array<tcp_socket, 2> servers;
};

}  // namespace tenure::sim
