#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "transport/frame_reader.hpp"
#include "transport/transport.hpp"

namespace tenure::transport {

/// What one datagram says. On the wire 24 bytes, little endian, and the piece.
struct datagram {
  enum class kind : std::uint8_t {
    open = 1,    ///< who dials: is there somebody? Said again until it is answered
    opened = 2,  ///< the answer
    piece = 3,   ///< a piece of the stream, or with nothing in it only what was received
    last = 4,    ///< a piece, empty, behind which nothing more comes
    unknown = 5  ///< whoever gets it speaks of a connection that is not known here
  };
  static constexpr std::size_t head_bytes = 32;
  /// No larger one is sent: every path carries it whole (1,280 bytes less the heads of IPv6 and UDP).
  static constexpr std::size_t most_bytes = 1'232;

  datagram::kind what = kind::piece;
  std::uint64_t connection = 0;  ///< drawn by who dials
  std::uint64_t number = 0;      ///< of the piece; empty pieces that are not the last have none
  std::uint64_t received = 0;    ///< all pieces before this one are here
  std::uint32_t beyond = 0;      ///< bit i: so is received + 1 + i
  std::vector<std::byte> piece;

  std::vector<std::byte> encode() const;
  /// Absent when the bytes are none.
  static std::optional<datagram> decode(std::span<const std::byte> bytes);
};

/// One end of a stream of frames over datagrams that may be lost, doubled, late or in any order: frames come
/// out whole, once and in order, or not at all. Pieces are numbered and sent again until they are
/// acknowledged; how many are under way grows while none is lost, and is halved when one is. Framework-free;
/// one thread; the time is the caller's, of any beginning.
class datagram_stream {
 public:
  using time = std::chrono::nanoseconds;
  static constexpr std::uint32_t window = 256;  ///< pieces under way, and kept out of order, at the most
  static constexpr time first_resend = std::chrono::milliseconds{200};
  static constexpr time longest_resend = std::chrono::seconds{2};

  explicit datagram_stream(std::uint64_t connection) : connection_(connection) {}

  /// Queues a frame.
  void send(const frame& f);
  /// Nothing more will be sent: the other end is told behind all that is queued.
  void finish();

  /// What to send now, one after the other until there is nothing.
  std::optional<datagram> next(time now);
  /// When `next` may have something without anything being received; absent: never.
  std::optional<time> due() const;

  /// A piece (or an acknowledgement alone) of the other end.
  void received(const datagram& d, time now);
  /// Frames that came, in order, one after the other.
  std::optional<frame> take();

  /// Bytes that were queued and are not acknowledged.
  std::size_t waiting_bytes() const { return waiting_bytes_; }
  /// All that was queued is acknowledged, the end too.
  bool all_acknowledged() const { return last_made_ && under_way_.empty(); }
  /// The other end ended, and all it sent was taken.
  bool ended() const { return ended_ && incoming_.empty(); }
  /// What came is no stream of frames.
  bool refused() const { return reader_.refused(); }
  /// Pieces that were sent more than once, in all.
  std::uint64_t pieces_resent() const { return resent_; }

 private:
  struct outgoing {
    std::vector<std::byte> bytes;
    bool last = false;
    time sent_at{0};
    bool under_way = false;  ///< false: to be sent, for the first time or again
    bool again = false;
  };

  void acknowledged(const datagram& d, time now);
  void measured(time round_trip);
  void lost(time now);
  void in_order(std::span<const std::byte> piece, bool last);
  datagram made() const;

  std::uint64_t connection_;
  // Sending.
  std::deque<std::byte> queue_;  // not yet cut into pieces
  bool finished_ = false;        // a last piece is to come, or was made
  bool last_made_ = false;
  std::map<std::uint64_t, outgoing> under_way_;
  std::uint64_t next_number_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::size_t may_be_under_way_ = 16;
  std::size_t acknowledged_since_ = 0;  // since the window grew or shrank
  std::uint64_t shrank_at_ = 0;         // pieces before this one have shrunk it already
  time resend_after_ = first_resend;
  time smoothed_{0};
  std::uint64_t resent_ = 0;
  // Receiving.
  std::uint64_t expected_ = 0;
  std::map<std::uint64_t, datagram> early_;
  bool acknowledge_ = false;
  bool ended_ = false;
  frame_reader reader_;
  std::deque<frame> incoming_;
};

}  // namespace tenure::transport
