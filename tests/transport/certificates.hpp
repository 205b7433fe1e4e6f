#pragma once

#include <filesystem>
#include <memory>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string>
#include <vector>

#include "transport/tls_credentials.hpp"

namespace tenure::transport {

/// What a test's certificate says. Times in seconds from now.
struct certificate_wish {
  std::vector<std::string> uris;
  long from = -3'600;
  long until = 3'600;
  std::string dns = "ignored.example";
};

/// A certificate authority that lives as long as a test.
class authority {
 public:
  authority();
  /// PEM.
  std::string certificate() const;
  struct pair {
    std::string certificate;
    std::string key;
  };
  pair issue(const certificate_wish& wish) const;

 private:
  using key_ptr = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
  using certificate_ptr = std::unique_ptr<X509, void (*)(X509*)>;
  static key_ptr new_key();
  certificate_ptr make(EVP_PKEY* key, const std::string& name, long from, long until) const;

  key_ptr key_;
  certificate_ptr certificate_;
};

/// A folder of a test's own with the files of tls_files; gone with it.
class certificate_folder {
 public:
  certificate_folder();
  ~certificate_folder();
  certificate_folder(const certificate_folder&) = delete;
  certificate_folder& operator=(const certificate_folder&) = delete;

  /// Writes files, in the place of older ones by renaming, and says where they are.
  tls_files put(const authority::pair& own, const std::string& trusted, const std::string& name = "own");
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace tenure::transport
