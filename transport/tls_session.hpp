#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "transport/spiffe_id.hpp"
#include "transport/transport.hpp"

struct ssl_st;      // OpenSSL's SSL
struct ssl_ctx_st;  // SSL_CTX
struct x509_st;     // X509

namespace tenure::transport {

/// The one SPIFFE id of a certificate; empty when it has none, another URI beside it, or is an authority's.
std::string spiffe_id_of(x509_st* certificate);

/// One end of TLS over some stream of bytes: what came from the wire goes in, what belongs on the wire comes
/// out. It knows no socket and does not wait. Not for several threads.
class tls_session {
 public:
  enum class side { dials, accepts };

  /// @param allowed who may be at the other end; any SPIFFE id when it is empty. Outlives the session.
  tls_session(std::shared_ptr<ssl_ctx_st> context, side s, const std::vector<spiffe_pattern>& allowed);
  ~tls_session();
  tls_session(const tls_session&) = delete;
  tls_session& operator=(const tls_session&) = delete;

  /// Hands over bytes from the wire, which must live until read() has returned 0, and carries the handshake
  /// on. With nothing it begins the handshake of the end that dials.
  void feed(std::span<const std::byte> wire);
  /// Takes plain bytes. @returns how many; 0: there are no more, see failed() and ended()
  std::size_t read(std::span<std::byte> room);
  /// Encrypts. @pre established() and not failed()
  void write(std::span<const std::byte> plain);
  /// Tells the other end that nothing more comes.
  void shut();

  /// Both ends have proved who they are, as far as this one can know: the one that dials is through before
  /// the other has looked at its certificate.
  bool established() const { return established_; }
  /// The other end said that nothing more comes.
  bool ended() const { return ended_; }
  /// It is over; what is left of outgoing() tells the other end why.
  bool failed() const { return failed_; }
  /// @pre failed()
  close_reason why() const { return why_; }
  /// The other end's SPIFFE id. @pre established()
  const std::string& identity() const { return identity_; }

  /// What belongs on the wire; the caller takes it out.
  std::vector<std::byte>& outgoing() { return outgoing_; }

 private:
  friend struct tls_wire;
  int verify(int good, void* chain);
  void judge(int result);

  const std::vector<spiffe_pattern>& allowed_;
  std::shared_ptr<ssl_ctx_st> context_;
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
  std::span<const std::byte> incoming_;
  std::vector<std::byte> outgoing_;
  std::string identity_;
  close_reason refusal_ = close_reason::closed_here;  // closed_here: none
  close_reason why_ = close_reason::not_tls;
  bool established_ = false;
  bool ended_ = false;
  bool failed_ = false;
};

}  // namespace tenure::transport
