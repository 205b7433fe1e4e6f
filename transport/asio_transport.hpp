#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "transport/spiffe_id.hpp"
#include "transport/tls_credentials.hpp"
#include "transport/transport.hpp"

namespace tenure::transport {

/// Bounds of the transport over TCP; each has its own close_reason when it is passed.
struct asio_options {
  /// From dial to the link being up, the name's resolution and the handshake included; for an accepted link,
  /// the handshake.
  std::chrono::milliseconds connect_bound{5'000};
  /// For what a name stands for, outside a dial; later than that it stands for itself.
  std::chrono::milliseconds resolve_bound{2'000};
  /// A link on which nothing was received for so long is closed with timed_out; zero: never. Either side's
  /// pings keep it alive, so this is to be several times their pace.
  std::chrono::milliseconds silence_bound{30'000};
  /// After close(): to send what was queued, and for the other side to close too.
  std::chrono::milliseconds drain_bound{3'000};
  /// What may wait to be sent on one link, in bytes.
  std::size_t queue_bytes = 64U << 20;
  /// Links at one time; connections beyond are accepted and closed at once.
  std::size_t max_links = 16'384;
  /// Read at a time: several frames a wake-up.
  std::size_t read_bytes = 256U << 10;
  /// With them every link carries TLS 1.3, and both ends show certificates; without, links are plain.
  std::shared_ptr<tls_credentials> credentials;
  /// Who may be at the other end; with none given, whoever the authority vouches for.
  std::vector<spiffe_pattern> allowed;
  /// Whose processes may connect to a Unix socket that we listen on, besides root's and our own user's.
  std::vector<std::uint32_t> local_users;
  std::vector<std::uint32_t> local_groups;
  /// Told of a connection that ended before the other end had proved who it is: its address and why. On the
  /// transport's thread; may be empty.
  std::function<void(const std::string& peer, close_reason why)> turned_down;
};

/// What the transport counted since it was made. Any thread may read; the values belong to slightly different
/// instants.
struct transport_counters {
  using counter = std::atomic<std::uint64_t>;
  counter dialed{0};         ///< links asked for
  counter accepted{0};       ///< links accepted
  counter turned_away{0};    ///< connections closed at once since there were max_links
  counter accept_errors{0};  ///< accept failed, for want of descriptors for example; it was tried again
  counter open{0};           ///< links there are now
  counter reads{0};          ///< that brought something
  counter frames_in{0};
  counter frames_out{0};     ///< handed to the system whole
  counter frames_unsent{0};  ///< given to send() and never handed to the system whole, since the link ended
  counter bytes_in{0};
  counter bytes_out{0};
  counter datagrams_unreadable{0};  ///< received, and none of ours
  counter datagrams_unsent{0};      ///< that the system did not take: to the other end they are lost
  std::array<counter, close_reason_count> closed{};  ///< by close_reason
};

/// The transport over TCP and Unix sockets: a thread of its own on which everything is called. One broken
/// link touches no other.
class asio_transport final : public transport {
 public:
  explicit asio_transport(const asio_options& options);
  /// Stops.
  ~asio_transport() override;
  asio_transport(const asio_transport&) = delete;
  asio_transport& operator=(const asio_transport&) = delete;

  /// After stop() the link that comes back is dead, and nothing is called.
  link_ptr dial(const std::string& address, link_events events) override;
  void resolve(const std::string& address, std::function<void(std::vector<std::string>)> done) override;
  outcome<std::uint16_t> listen(const std::string& address, acceptor accept) override;
  /// Waits for the links to drain, within their bound (and for a name that is being resolved, within the
  /// system resolver's). Not from the transport's own thread.
  void stop() override;

  const transport_counters& counters() const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

std::unique_ptr<asio_transport> make_asio_transport(const asio_options& options = {});

}  // namespace tenure::transport
