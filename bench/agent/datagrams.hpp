#pragma once

#include <cstdint>

#include "bench/agent/arena.hpp"

namespace tenure::bench {

struct datagrams_result {
  std::uint64_t sent = 0;      ///< by the client
  std::uint64_t answered = 0;  ///< and back at the client
  double seconds = 0;
};

/// Datagrams of 100 bytes from connected sockets in the client's namespace to one of the server's, which
/// sends each back, at a steady pace.
/// @param rate datagrams of the client a second; what cannot be kept is not made up for @param flows sockets
datagrams_result run_datagrams(const arena& where, double rate, double seconds, std::size_t flows);

}  // namespace tenure::bench
