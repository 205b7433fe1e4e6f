#pragma once

#include <array>
#include <cstdint>

#include "demo/catalogue.hpp"
#include "demo/pool.hpp"
#include "ownership/address.hpp"
#include "ownership/time.hpp"

namespace tenure::demo {

/// Every process of the fleet has one, counted from 1; 0 names none.
using instance_id = std::uint32_t;

/// The two ends of one TCP connection; the client is the one that opened it.
struct connection_tuple {
  address client;
  address server;
  std::uint16_t client_port = 0;
  std::uint16_t server_port = 0;
  friend auto operator<=>(const connection_tuple&, const connection_tuple&) = default;
};

enum class side : std::uint8_t { client, server };

/// What an instance says about its own connections, one message each, on the socket that only it and the
/// fleet hold. Both are the same program on the same machine, so the bytes of the struct are the message.
struct truth_message {
  enum class what : std::uint8_t {
    opened,      ///< the client called connect, or the server's accept returned
    peer_known,  ///< the other end said which instance it is
    ended,       ///< closed by this process; `error` says why
    drained,     ///< all connections are closed, the process is about to end; no other field counts
  };
  what kind = what::opened;
  demo::side side = demo::side::client;
  std::uint16_t client_port = 0;
  std::uint16_t server_port = 0;
  std::uint16_t error = 0;       ///< errno; 0: closed in good order
  std::uint32_t connection = 0;  ///< counts from 1 within the instance
  instance_id peer = 0;          ///< with peer_known
  std::array<std::uint8_t, 16> client{};
  std::array<std::uint8_t, 16> server{};
  nanos at = 0;  ///< boot-time clock; for a client's `opened`, read before it called connect
};

/// What the fleet says to an instance.
struct instance_command {
  enum class what : std::uint8_t {
    go,     ///< you have your addresses: be this workload, on this slot
    call,   ///< open a connection to this slot now, whoever is there
    drain,  ///< close everything in good order, say `drained` and end
  };
  what kind = what::go;
  instance_id self = 0;                ///< with go
  workload_index workload = 0;         ///< with go
  slot_index slot = 0;                 ///< with go: its own; with call: the one to call
  std::uint64_t seed = 0;              ///< with go: of its own randomness
  std::uint32_t calls_per_second = 0;  ///< with go: how many connections it opens, on average
  std::uint8_t subnet = 0;             ///< with go: of the pool
  slot_index slots = 0;                ///< with go: of the pool
};

}  // namespace tenure::demo
