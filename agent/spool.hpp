#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "capnp/codec.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// Sealed batches of one incarnation outside the process's memory, so that its death does not lose them. One
/// thread.
class spool {
 public:
  struct entry {
    std::uint64_t number = 0;
    std::size_t flows = 0;
    std::size_t bytes = 0;  ///< of its frame
  };

  virtual ~spool() = default;
  /// When this returns, the batch survives this process.
  virtual outcome<void> put(std::uint64_t number, std::size_t flows, const wire::frame& f) = 0;
  /// A failure when it is not there, or is not what was put there.
  virtual outcome<wire::frame> get(std::uint64_t number) = 0;
  virtual void erase(std::uint64_t number) = 0;
  /// What is there now, in the order of the numbers.
  virtual std::vector<entry> list() = 0;
};

}  // namespace tenure::agent
