#include "transport/svid.hpp"

#include <memory>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "transport/tls_session.hpp"

namespace tenure::transport {

bool is_pem(std::string_view text) {
  return text.find("-----BEGIN ") != std::string_view::npos;
}

outcome<std::string> read_svid(std::string_view text, const std::string& name) {
  const std::unique_ptr<BIO, int (*)(BIO*)> bytes(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                                  BIO_free);
  const std::unique_ptr<X509, void (*)(X509*)> own(
      bytes ? PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr) : nullptr, X509_free);
  ERR_clear_error();
  if (!own) return fail(trouble::usage, name + ": there is no certificate in it");
  auto id = spiffe_id_of(own.get());
  if (id.empty())
    return fail(trouble::usage,
                name + ": its alternative names must hold one URI, a SPIFFE id, and no other URI");
  return id;
}

}  // namespace tenure::transport
