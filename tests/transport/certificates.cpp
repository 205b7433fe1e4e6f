#include "tests/transport/certificates.hpp"

#include <fstream>
#include <functional>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdexcept>
#include <stdlib.h>

namespace tenure::transport {

namespace {

std::string pem(const std::function<void(BIO*)>& write) {
  std::unique_ptr<BIO, int (*)(BIO*)> out(BIO_new(BIO_s_mem()), BIO_free);
  write(out.get());
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  auto* const extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  if (extension == nullptr) throw std::runtime_error("no such extension: " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void put_file(const std::filesystem::path& where, const std::string& text) {
  const auto beside = where.string() + ".new";
  std::ofstream(beside, std::ios::trunc) << text;
  std::filesystem::rename(beside, where);
}

}  // namespace

authority::key_ptr authority::new_key() {
  return {EVP_EC_gen("P-256"), EVP_PKEY_free};
}

authority::certificate_ptr authority::make(EVP_PKEY* key, const std::string& name, long from,
                                           long until) const {
  certificate_ptr made(X509_new(), X509_free);
  X509_set_version(made.get(), 2);
  static long serial = 0;
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), from);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), until);
  X509_set_pubkey(made.get(), key);
  auto* const subject = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(made.get(), certificate_ ? X509_get_subject_name(certificate_.get()) : subject);
  return made;
}

authority::authority() : key_(new_key()), certificate_(nullptr, X509_free) {
  auto own = make(key_.get(), "test authority", -86'400, 86'400);
  extend(own.get(), own.get(), NID_basic_constraints, "critical,CA:TRUE");
  extend(own.get(), own.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  X509_sign(own.get(), key_.get(), EVP_sha256());
  certificate_ = std::move(own);
}

std::string authority::certificate() const {
  return pem([&](BIO* out) { PEM_write_bio_X509(out, certificate_.get()); });
}

authority::pair authority::issue(const certificate_wish& wish) const {
  const auto key = new_key();
  auto made = make(key.get(), "test leaf", wish.from, wish.until);
  extend(made.get(), certificate_.get(), NID_basic_constraints, "critical,CA:FALSE");
  extend(made.get(), certificate_.get(), NID_key_usage, "critical,digitalSignature");
  extend(made.get(), certificate_.get(), NID_ext_key_usage, "serverAuth,clientAuth");
  std::string names = "DNS:" + wish.dns;
  for (const auto& uri : wish.uris) names += ",URI:" + uri;
  extend(made.get(), certificate_.get(), NID_subject_alt_name, names);
  X509_sign(made.get(), key_.get(), EVP_sha256());
  return {pem([&](BIO* out) { PEM_write_bio_X509(out, made.get()); }), pem([&](BIO* out) {
            PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

certificate_folder::certificate_folder() {
  std::string name = std::filesystem::temp_directory_path() / "tenure-certificates-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for certificates");
  path_ = name;
}

certificate_folder::~certificate_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

tls_files certificate_folder::put(const authority::pair& own, const std::string& trusted,
                                  const std::string& name) {
  const tls_files files{path_ / (name + ".pem"), path_ / (name + ".key"), path_ / (name + ".authority.pem")};
  put_file(files.certificate, own.certificate);
  put_file(files.key, own.key);
  put_file(files.authority, trusted);
  return files;
}

}  // namespace tenure::transport
