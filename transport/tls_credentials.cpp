#include "transport/tls_credentials.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <utility>

#include "ownership/invariant.hpp"
#include "transport/tls_session.hpp"

namespace tenure::transport {

namespace {

/// The last thing that OpenSSL complained of, in its words.
std::string complaint() {
  const auto code = ERR_peek_last_error();
  const char* const words = ERR_reason_error_string(code);
  ERR_clear_error();
  return words != nullptr ? words : "unreadable";
}

tl::unexpected<failure> unusable(const char* what, const std::filesystem::path& file) {
  return fail(trouble::usage, std::string(what) + " " + file.string() + ": " + complaint());
}

}  // namespace

outcome<tls_credentials::loaded> tls_credentials::read(const tls_files& files) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_method()), SSL_CTX_free);
  invariant(context != nullptr, "OpenSSL makes a context");
  auto* const c = context.get();
  SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
  // No resumption: every link shows its certificate, so that one which was withdrawn cannot live on in
  // tickets.
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(c, 0);
  // An idle link keeps no buffers of OpenSSL's.
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify_depth(c, 8);
  if (SSL_CTX_use_certificate_chain_file(c, files.certificate.c_str()) != 1)
    return unusable("certificate", files.certificate);
  // A key with a passphrase is refused; OpenSSL would ask the terminal for it.
  SSL_CTX_set_default_passwd_cb(c, [](char*, int, int, void*) { return 0; });
  if (SSL_CTX_use_PrivateKey_file(c, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return unusable("key", files.key);
  if (SSL_CTX_load_verify_file(c, files.authority.c_str()) != 1)
    return unusable("authority", files.authority);
  auto* const own = SSL_CTX_get0_certificate(c);
  auto identity = spiffe_id_of(own);
  if (identity.empty())
    return fail(trouble::usage,
                "certificate " + files.certificate.string() +
                    ": its alternative names must hold one URI, a SPIFFE id, and no other URI");
  return loaded{std::move(context), std::move(identity)};
}

tls_credentials::version tls_credentials::version_of(const tls_files& files) {
  version v;
  std::size_t at = 0;
  for (const auto* file : {&files.certificate, &files.key, &files.authority}) {
    struct stat s {};
    if (::stat(file->c_str(), &s) == 0) {
      v.marks[at] = static_cast<std::int64_t>(s.st_ino);
      v.marks[at + 1] = s.st_size;
      v.marks[at + 2] = s.st_mtim.tv_sec * 1'000'000'000 + s.st_mtim.tv_nsec;
    }
    at += 3;
  }
  return v;
}

outcome<std::shared_ptr<tls_credentials>> tls_credentials::load(const tls_files& files) {
  std::shared_ptr<tls_credentials> made(new tls_credentials(files));
  made->seen_ = version_of(files);  // before: what changes while it is read is read again
  auto first = read(files);
  if (!first) return tl::unexpected(first.error());
  made->loaded_ = std::move(*first);
  return made;
}

std::shared_ptr<ssl_ctx_st> tls_credentials::current() {
  std::lock_guard lock(mutex_);
  const auto now = version_of(files_);
  if (now != seen_) {
    // A change that was caught halfway leaves another trace when it is complete, and is tried again then.
    seen_ = now;
    if (auto next = read(files_)) {
      loaded_ = std::move(*next);
      ++rotations_;
    } else {
      ++failed_rotations_;
    }
  }
  return loaded_.context;
}

std::string tls_credentials::identity() const {
  std::lock_guard lock(mutex_);
  return loaded_.identity;
}

}  // namespace tenure::transport
