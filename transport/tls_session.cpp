#include "transport/tls_session.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <utility>

#include "ownership/invariant.hpp"

namespace tenure::transport {

/// What OpenSSL reads from and writes to: the session's spans, without copies of its own.
struct tls_wire {
  static tls_session& of(BIO* b) { return *static_cast<tls_session*>(BIO_get_data(b)); }

  static int read(BIO* b, char* room, std::size_t size, std::size_t* got) {
    auto& wire = of(b).incoming_;
    *got = std::min(size, wire.size());
    BIO_clear_retry_flags(b);
    if (*got == 0) {
      BIO_set_retry_read(b);
      return 0;
    }
    std::memcpy(room, wire.data(), *got);
    wire = wire.subspan(*got);
    return 1;
  }
  static int write(BIO* b, const char* bytes, std::size_t size, std::size_t* done) {
    const auto* const first = reinterpret_cast<const std::byte*>(bytes);
    auto& out = of(b).outgoing_;
    out.insert(out.end(), first, first + size);
    *done = size;
    return 1;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* method() {
    static const BIO_METHOD* const made = [] {
      auto* const m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tenure wire");
      invariant(m != nullptr, "OpenSSL makes a BIO method");
      BIO_meth_set_read_ex(m, read);
      BIO_meth_set_write_ex(m, write);
      BIO_meth_set_ctrl(m, control);
      return m;
    }();
    return made;
  }

  static int verify(int good, X509_STORE_CTX* chain) {
    auto* const ssl =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
    return static_cast<tls_session*>(SSL_get_app_data(ssl))->verify(good, chain);
  }
};

std::string spiffe_id_of(x509_st* certificate) {
  if (certificate == nullptr || (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0) return {};
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  std::string found;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    if (!found.empty()) return {};
    const auto* const uri = name->d.uniformResourceIdentifier;
    found.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                 static_cast<std::size_t>(ASN1_STRING_length(uri)));
    if (!is_spiffe_id(found)) return {};
  }
  return found;
}

tls_session::tls_session(std::shared_ptr<ssl_ctx_st> context, side s,
                         const std::vector<spiffe_pattern>& allowed)
    : allowed_(allowed), context_(std::move(context)), ssl_(SSL_new(context_.get()), SSL_free) {
  auto* const bio = BIO_new(tls_wire::method());
  invariant(ssl_ != nullptr && bio != nullptr, "OpenSSL makes a session");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, tls_wire::verify);
  if (s == side::dials)
    SSL_set_connect_state(ssl_.get());
  else
    SSL_set_accept_state(ssl_.get());
}

tls_session::~tls_session() = default;

/// Within the handshake, so that the other end is told by an alert.
int tls_session::verify(int good, void* chain) {
  auto* const c = static_cast<X509_STORE_CTX*>(chain);
  if (good != 1) {
    const int error = X509_STORE_CTX_get_error(c);
    const bool out_of_date = error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID;
    refusal_ = out_of_date ? close_reason::expired : close_reason::untrusted;
    return 0;
  }
  if (X509_STORE_CTX_get_error_depth(c) > 0) return 1;
  auto id = spiffe_id_of(X509_STORE_CTX_get_current_cert(c));
  if (id.empty()) {
    refusal_ = close_reason::nameless;
  } else if (!allowed_.empty() && std::none_of(allowed_.begin(), allowed_.end(),
                                               [&](const spiffe_pattern& p) { return p.matches(id); })) {
    refusal_ = close_reason::not_allowed;
  } else {
    identity_ = std::move(id);
    return 1;
  }
  X509_STORE_CTX_set_error(c, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

void tls_session::judge(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
  if (error == SSL_ERROR_ZERO_RETURN) {
    ended_ = true;
    return;
  }
  failed_ = true;
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  ERR_clear_error();
  if (refusal_ != close_reason::closed_here) {
    why_ = refusal_;
  } else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
    why_ = close_reason::untrusted;
  } else if (reason >= SSL_AD_REASON_OFFSET) {
    // The other end sent an alert. Those about certificates, and the one that follows a refused name.
    const int alert = reason - SSL_AD_REASON_OFFSET;
    const bool about_us = (alert >= SSL3_AD_HANDSHAKE_FAILURE && alert <= SSL3_AD_CERTIFICATE_UNKNOWN) ||
                          alert == TLS1_AD_UNKNOWN_CA || alert == TLS1_AD_ACCESS_DENIED ||
                          alert == TLS13_AD_CERTIFICATE_REQUIRED ||
                          alert == TLS1_AD_DECRYPT_ERROR;  // an authority of the same name, another key
    why_ = about_us ? close_reason::unwelcome : close_reason::not_tls;
  } else {
    why_ = close_reason::not_tls;
  }
}

void tls_session::feed(std::span<const std::byte> wire) {
  incoming_ = wire;
  if (established_ || failed_) return;
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1)
    established_ = true;
  else
    judge(result);
}

std::size_t tls_session::read(std::span<std::byte> room) {
  if (!established_ || failed_ || ended_) return 0;
  std::size_t got = 0;
  const int result = SSL_read_ex(ssl_.get(), room.data(), room.size(), &got);
  if (result == 1) return got;
  judge(result);
  return 0;
}

void tls_session::write(std::span<const std::byte> plain) {
  invariant(established_ && !failed_, "only an established session encrypts");
  if (plain.empty()) return;
  std::size_t done = 0;
  // The wire takes everything, so all of it is done or the session is broken.
  const int result = SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &done);
  if (result != 1) {
    judge(result);
    failed_ = true;
  }
}

void tls_session::shut() {
  if (established_ && !failed_) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

}  // namespace tenure::transport
