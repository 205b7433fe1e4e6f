#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ownership/outcome.hpp"
#include "ownership/raw_vector.hpp"

/// The one transport. Agents, nodes and regions send each other frames over it; the simulator puts its faulty
/// links in the place of Asio's. A frame is whole words, as Cap'n Proto wants them; on TCP its length in
/// bytes goes before it.
namespace tenure::transport {

using frame = raw_vector<std::uint64_t>;

/// The largest frame that is sent or accepted, in bytes.
inline constexpr std::size_t max_frame_bytes = 4U << 20;

/// Why a link ended.
enum class close_reason : std::uint8_t {
  closed_here,   ///< close() was called
  closed_there,  ///< the other side closed, between two frames
  refused,       ///< nobody listens there, or the name is unknown
  timed_out,     ///< no connection within the bound, or the other side was silent for too long
  broken,        ///< the connection was reset or the system gave up on it
  truncated,     ///< it ended within a frame
  too_long,      ///< a frame of more than max_frame_bytes was announced, or one that is not whole words
  too_slow,      ///< the other side does not read: the bound on what waits to be sent was passed
  not_tls,       ///< the other side does not speak TLS 1.3, or what came was garbled
  expired,       ///< the other side's certificate is not valid now
  untrusted,     ///< it shows none, or one of another authority
  nameless,      ///< its certificate does not hold exactly one SPIFFE id
  not_allowed,   ///< its certificate names somebody who may not be there
  unwelcome,     ///< the other side does not accept our certificate
};
inline constexpr std::size_t close_reason_count = static_cast<std::size_t>(close_reason::unwelcome) + 1;
const char* to_string(close_reason r);

/// One end of one connection. Its functions may be called from any thread.
class link {
 public:
  virtual ~link() = default;
  /// Queues a frame, in order. Past the bound on what waits (64 MiB by default) the link closes with
  /// too_slow.
  virtual void send(frame f) = 0;
  /// Ends it. What was queued before is still sent, within a bound of a few seconds.
  virtual void close() = 0;
  /// The other end in words, for logs: "127.0.0.1:40022".
  virtual std::string peer() const = 0;
  /// The other end's SPIFFE id, which its certificate proved. Empty where links carry no TLS, and before the
  /// link is up.
  virtual std::string identity() const { return {}; }
};
using link_ptr = std::shared_ptr<link>;

/// What becomes of a link. Called from the transport's thread, never at once from within send or close;
/// `closed` is the last call and comes exactly once.
struct link_events {
  std::function<void(frame)> received;
  std::function<void(close_reason)> closed;
};

/// Says what should happen with a link that was accepted. Where there is TLS it is called once the other end
/// has proved who it is.
using acceptor = std::function<link_events(link_ptr)>;

/// Makes links. The production one is `asio_transport`.
class transport {
 public:
  virtual ~transport() = default;
  /// Connects to "host:port", or to the Unix socket of "unix:PATH". The link is there at once; frames wait
  /// until it is up, and a failure is its `closed`.
  virtual link_ptr dial(const std::string& address, link_events events) = 0;
  /// The addresses that "host:port" stands for now, each as "address:port". Itself where it stands for no
  /// other, or nobody knows in time. `done` is called once, from the transport's thread or at once; after
  /// stop() perhaps never.
  virtual void resolve(const std::string& address, std::function<void(std::vector<std::string>)> done) {
    done({address});
  }
  /// @returns the port that is listened on (useful after asking for port 0; 0 for "unix:PATH"), or why it
  /// cannot be:
  /// trouble::refused when it is taken, trouble::usage when the address cannot be read.
  virtual outcome<std::uint16_t> listen(const std::string& address, acceptor accept) = 0;
  /// Closes all links and listeners; after it returns nothing is called any more.
  virtual void stop() = 0;
};

/// "host:port" or "[v6]:port" taken apart.
struct host_port {
  std::string host;
  std::uint16_t port = 0;
};
outcome<host_port> parse_host_port(const std::string& text);

/// The path in "unix:PATH"; absent when it is no such address.
std::optional<std::string> unix_path(const std::string& address);
/// What the kernel has room for.
inline constexpr std::size_t longest_unix_path = 107;

}  // namespace tenure::transport
