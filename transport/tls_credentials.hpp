#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "ownership/outcome.hpp"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace tenure::transport {

/// PEM files: our certificate with what leads up to the authority's, its key, and the authorities whose
/// certificates are accepted.
struct tls_files {
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path authority;
};

/// Our certificate and whom it trusts, read again when the files change: a new handshake uses what they hold
/// then, a link that is up lives on. Any thread.
class tls_credentials {
 public:
  /// @returns trouble::usage when a file cannot be read, does not belong to the others, or when the
  /// certificate does not name us by exactly one SPIFFE id (a URI among its subject's alternative names).
  static outcome<std::shared_ptr<tls_credentials>> load(const tls_files& files);

  /// For the next handshake: TLS 1.3 only, both ends with certificates, no resumption. While the files are
  /// being changed, or hold nonsense, what they held before.
  std::shared_ptr<ssl_ctx_st> current();
  /// Our own SPIFFE id.
  std::string identity() const;

  std::uint64_t rotations() const { return rotations_; }                ///< new files taken
  std::uint64_t failed_rotations() const { return failed_rotations_; }  ///< changed files that could not be

 private:
  /// What tells one version of the files from the next.
  struct version {
    std::array<std::int64_t, 9> marks{};
    bool operator==(const version&) const = default;
  };
  struct loaded {
    std::shared_ptr<ssl_ctx_st> context;
    std::string identity;
  };
  static version version_of(const tls_files& files);
  static outcome<loaded> read(const tls_files& files);

  explicit tls_credentials(tls_files files) : files_(std::move(files)) {}

  const tls_files files_;
  mutable std::mutex mutex_;
  // Under mutex_.
  loaded loaded_;
  version seen_;
  std::atomic<std::uint64_t> rotations_ = 0;
  std::atomic<std::uint64_t> failed_rotations_ = 0;
};

}  // namespace tenure::transport
