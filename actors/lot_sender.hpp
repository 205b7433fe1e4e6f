#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "capnp/codec.hpp"
#include "ownership/outcome.hpp"
#include "ownership/time.hpp"

namespace tenure::actors {

struct lot_sender_settings {
  std::string node;               ///< our name in the cluster
  std::uint64_t incarnation = 0;  ///< ours, not 0
  /// What is kept until it is settled, in bytes of frames; the other node's credit may be less.
  std::size_t max_unsettled_bytes = 256U << 20;
  /// The other node pings every second: one that is not heard for so long is taken for dead.
  nanos max_silence = 3 * second;
};

/// The sending side of what passes between two nodes (capnp/wire.capnp, "Between nodes"): keeps lots until
/// the other node has settled them, sends again over each new connection what it has not, and gives back what
/// it never will. Knows neither actors nor sockets; one thread. The other side is lot_receiver.
class lot_sender {
 public:
  explicit lot_sender(lot_sender_settings settings);

  struct unsettled {
    std::uint64_t tag = 0;
    wire::lot lot;
  };

  /// What to do.
  struct reaction {
    std::vector<wire::frame> send;
    std::vector<std::uint64_t> settled;  ///< tags: each lot's exactly once, unless it was taken back
    /// All that was unsettled, as by take_back: the other node has started anew.
    std::vector<unsettled> given_back;
    bool leaving = false;  ///< the other node says that it ends: there is nothing to wait for
  };

  /// Takes a lot to be sent; its id is given here. @param tag what the caller calls it
  /// @returns false when it is full: the caller keeps it and tries again, or lets its batch wait
  bool offer(std::uint64_t tag, wire::lot lot, reaction& r);

  /// The link is up. @pre it is not connected
  reaction connected(nanos now);
  /// @returns a failure when the other side breaks the protocol: the link has to be closed.
  outcome<reaction> receive(const wire::frame& f, nanos now);
  void disconnected();
  /// A failure when the other node is silent for too long. To be called several times a second.
  outcome<void> tick(nanos now) const;

  /// Everything that is not settled, in the order it was offered; the other node may have it all the same.
  /// From now on nothing is kept: for a node that is given up, or whose points went to another.
  /// @pre it is not connected
  std::vector<unsettled> take_back();

  /// Whether `offer` would refuse any lot.
  bool is_full() const { return kept_bytes_ >= settings_.max_unsettled_bytes; }
  bool is_connected() const { return connected_; }
  /// The other node has answered on this connection.
  bool is_welcome() const { return welcome_; }
  /// The other node's, of this connection or the last one; 0: it has never answered.
  std::uint64_t their_incarnation() const { return their_incarnation_; }
  /// When it started, in our time. @pre it has answered
  nanos their_start() const { return their_start_; }
  std::size_t unsettled_lots() const { return kept_.size(); }
  std::size_t unsettled_bytes() const { return kept_bytes_; }
  std::uint64_t lots_sent_again() const { return sent_again_; }

 private:
  struct kept_lot {
    std::uint64_t tag = 0;
    wire::frame frame;
    bool sent_once = false;
  };
  static std::size_t bytes_of(const wire::frame& f) { return f.size() * sizeof(f[0]); }
  void send_what_fits(reaction& r);
  void settle(std::uint64_t id, reaction& r);
  std::vector<unsettled> give_back();

  lot_sender_settings settings_;
  std::map<std::uint64_t, kept_lot> kept_;  // by id
  std::size_t kept_bytes_ = 0;
  std::uint64_t last_id_ = 0;
  std::uint64_t sent_again_ = 0;
  std::uint64_t their_incarnation_ = 0;
  nanos their_start_ = 0;

  // Of this connection.
  bool connected_ = false;
  bool welcome_ = false;
  nanos last_heard_ = 0;
  std::uint64_t credit_ = 0;
  std::uint64_t next_to_send_ = 1;  // ids below were sent, or are settled
  std::size_t under_way_ = 0;       // bytes that were sent and are not settled
};

}  // namespace tenure::actors
