#pragma once

#include <cstdint>
#include <vector>

#include "capnp/codec.hpp"
#include "tests/actors/world.hpp"

namespace tenure::actors::testing {

/// An agent whose every message a test decides. It answers pings by itself, and keeps to its credit unless it
/// is told not to.
class hand_made_agent {
 public:
  hand_made_agent(world& w, std::uint64_t incarnation, bool credit = true);

  /// Makes batches of so many flows from 10.0.0.1 to addresses all over 10.1.0.0/16.
  void seal(std::size_t batches, std::size_t flows);
  /// @param b gets the next number
  void seal(wire::batch b);
  /// Sends what credit allows of what was sealed.
  void send_what_may_go();
  /// All that was sealed, whether it was sent before or not.
  void send_all();
  void send(const wire::message& m);
  void leave() { state_->link->close(); }
  void send_bytes(wire::frame f) { state_->link->send(std::move(f)); }

  /// From now on pings stay unanswered, as when it stalls, or does not read.
  void stall() { state_->stalled = true; }

  bool welcomed() const { return state_->welcomed; }
  bool closed() const { return state_->closed; }
  std::size_t pings() const { return state_->pings; }
  std::size_t acknowledged() const { return state_->acknowledged; }
  std::size_t sent() const { return sent_; }
  /// In bytes.
  std::size_t largest_frame() const { return largest_; }
  const std::string& goodbye() const { return state_->goodbye; }

 private:
  struct heard {
    tenure::transport::link_ptr link;
    std::shared_ptr<virtual_clock> clock;
    std::uint64_t credit = 0;
    std::size_t acknowledged = 0;
    std::size_t pings = 0;
    bool welcomed = false;
    bool closed = false;
    bool stalled = false;
    std::string goodbye;
    void take(const tenure::transport::frame& f);
  };

  world& world_;
  std::uint64_t incarnation_;
  std::shared_ptr<heard> state_ = std::make_shared<heard>();
  std::vector<wire::frame> sealed_;
  std::uint64_t next_number_ = 1;
  std::size_t sent_ = 0;
  std::size_t sent_bytes_ = 0;
  std::size_t largest_ = 0;
};

}  // namespace tenure::actors::testing
