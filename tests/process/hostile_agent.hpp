#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "capnp/codec.hpp"
#include "tests/process/played_fleet.hpp"
#include "transport/transport.hpp"

namespace tenure::testing {

/// An agent that says what a test wants it to say, true or not, over a real connection. It answers pings with
/// the machine's own clock, and keeps to no credit, whether it says that it knows it or not.
class hostile_agent {
 public:
  hostile_agent(transport::transport& net, const std::string& node, std::uint64_t incarnation,
                const std::string& name = "hostile", bool knows_credit = false);
  ~hostile_agent();
  hostile_agent(const hostile_agent&) = delete;
  hostile_agent& operator=(const hostile_agent&) = delete;

  void send(const wire::message& m) { send(wire::encode(m)); }
  void send(wire::frame f);
  bool welcomed() const;
  bool closed() const;
  std::uint64_t acknowledged() const;
  /// Waits, within a bound, until the node has closed the connection. @returns what it said of that; "(open)"
  /// when it did not close.
  std::string farewell() const;

  /// A batch that claims an address for a workload, from so long ago until now.
  wire::batch claim(std::uint64_t number, const std::string& where, const std::string& workload,
                    nanos since = second) const;
  nanos now() const { return clock_.now(); }

 private:
  struct heard;
  boot_clock clock_;
  std::uint64_t incarnation_;
  std::shared_ptr<heard> heard_;
  transport::link_ptr link_;
};

}  // namespace tenure::testing
