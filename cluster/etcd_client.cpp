#include "cluster/etcd_client.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <httplib.h>
#include <openssl/evp.h>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

namespace tenure::cluster {

namespace {

using json = nlohmann::json;

/// Far more than a cluster's members take.
constexpr std::size_t longest_answer = 16U << 20;

std::string base64(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3), '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                  reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  return out;
}

std::optional<std::string> from_base64(const std::string& text) {
  std::string out(text.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  // EVP counts the padding as bytes.
  const auto padding = static_cast<std::size_t>(
      std::count(text.end() - std::min<std::ptrdiff_t>(2, std::ssize(text)), text.end(), '='));
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

/// The first key beyond all that begin with `prefix`.
std::string end_of(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

/// The gateway writes 64-bit integers as strings, and leaves zeros out.
std::int64_t number(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return 0;
  if (found->is_number_integer()) return found->get<std::int64_t>();
  std::int64_t value = 0;
  if (const auto* const text = found->get_ptr<const std::string*>())
    std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

std::string text(const json& object, const char* key) {
  const auto found = object.find(key);
  const auto* const value = found == object.end() ? nullptr : found->get_ptr<const std::string*>();
  return value != nullptr ? *value : std::string();
}

const json& part(const json& object, const char* key) {
  static const json nothing = json::object();
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : nothing;
}

class gateway_client final : public etcd_client {
 public:
  gateway_client(std::string endpoint, std::chrono::milliseconds bound, const etcd_tls& tls)
      : endpoint_(std::move(endpoint)), bound_(bound), client_(endpoint_, tls.certificate, tls.key) {
    client_.enable_server_certificate_verification(true);
    if (!tls.authority.empty()) client_.set_ca_cert_path(tls.authority);
    client_.set_connection_timeout(bound_);
    client_.set_write_timeout(bound_);
  }

  /// Its certificate and key can be used.
  bool usable() const { return client_.is_valid(); }

  outcome<std::int64_t> grant(std::chrono::seconds ttl) override {
    auto got = call("/v3/lease/grant", {{"TTL", ttl.count()}});
    if (!got) return tl::unexpected(got.error());
    const auto id = number(*got, "ID");
    if (id == 0) return fail(trouble::refused, endpoint_ + ": granted no lease");
    return id;
  }

  outcome<bool> keep_alive(std::int64_t lease) override {
    auto got = call("/v3/lease/keepalive", {{"ID", std::to_string(lease)}});
    if (!got) return tl::unexpected(got.error());
    return number(part(*got, "result"), "TTL") > 0;
  }

  outcome<void> revoke(std::int64_t lease) override {
    auto got = call("/v3/lease/revoke", {{"ID", std::to_string(lease)}});
    if (!got) return tl::unexpected(got.error());
    return {};
  }

  outcome<std::int64_t> put(const std::string& key, const std::string& value, std::int64_t lease) override {
    auto got = call("/v3/kv/put",
                    {{"key", base64(key)}, {"value", base64(value)}, {"lease", std::to_string(lease)}});
    if (!got) return tl::unexpected(got.error());
    return number(part(*got, "header"), "revision");
  }

  outcome<entries> range(const std::string& prefix) override {
    auto got = call("/v3/kv/range", {{"key", base64(prefix)}, {"range_end", base64(end_of(prefix))}});
    if (!got) return tl::unexpected(got.error());
    entries out;
    out.revision = number(part(*got, "header"), "revision");
    const auto found = got->find("kvs");
    if (found == got->end() || !found->is_array()) return out;
    for (const auto& kv : *found) {
      if (!kv.is_object()) continue;
      auto key = from_base64(text(kv, "key"));
      auto value = from_base64(text(kv, "value"));
      if (key && value) out.items.push_back({std::move(*key), std::move(*value), number(kv, "mod_revision")});
    }
    return out;
  }

  void wait_for_change(const std::string& prefix, std::int64_t since,
                       std::chrono::milliseconds bound) override {
    const json request = {{"create_request",
                           {{"key", base64(prefix)},
                            {"range_end", base64(end_of(prefix))},
                            {"start_revision", std::to_string(since)}}}};
    client_.set_read_timeout(bound);
    std::string line;
    // A message a line; the first only says that the watch stands. Whatever else comes is a reason to look.
    send("/v3/watch", request, [&](const char* bytes, std::size_t size) {
      line.append(bytes, size);
      for (auto end = line.find('\n'); end != std::string::npos; end = line.find('\n')) {
        const auto message = json::parse(line.substr(0, end), nullptr, false);
        if (!message.is_object()) return false;
        const auto& result = part(message, "result");
        if (!result.contains("created") || result.contains("canceled")) return false;
        line.erase(0, end + 1);
      }
      return line.size() < longest_answer;
    });
  }

  void stop() override { client_.stop(); }

 private:
  using receiver = std::function<bool(const char*, std::size_t)>;

  httplib::Result send(const char* path, const json& body, receiver receive) {
    httplib::Request request;
    request.method = "POST";
    request.path = path;
    request.set_header("Content-Type", "application/json");
    request.body = body.dump();
    request.content_receiver = [r = std::move(receive)](const char* bytes, std::size_t size, std::uint64_t,
                                                        std::uint64_t) { return r(bytes, size); };
    return client_.send(request);
  }

  outcome<json> call(const char* path, const json& body) {
    client_.set_read_timeout(bound_);
    std::string answer;
    const auto result = send(path, body, [&](const char* bytes, std::size_t size) {
      answer.append(bytes, size);
      return answer.size() < longest_answer;
    });
    if (!result) return fail(trouble::refused, endpoint_ + ": " + httplib::to_string(result.error()));
    auto parsed = json::parse(answer, nullptr, false);
    if (!parsed.is_object())
      return fail(trouble::refused, endpoint_ + path + ": the answer is no JSON object");
    if (result->status != 200) return fail(trouble::refused, endpoint_ + path + ": " + text(parsed, "error"));
    return parsed;
  }

  const std::string endpoint_;
  const std::chrono::milliseconds bound_;
  httplib::Client client_;
};

}  // namespace

outcome<std::unique_ptr<etcd_client>> etcd_client::make(const std::string& endpoint,
                                                        std::chrono::milliseconds bound,
                                                        const etcd_tls& tls) {
  const bool secured = endpoint.starts_with("https://");
  const std::size_t scheme = secured ? 8 : 7;
  if ((!secured && !endpoint.starts_with("http://")) || endpoint.size() == scheme ||
      endpoint.find('/', scheme) != std::string::npos)
    return fail(trouble::usage,
                "'" + endpoint + "' is no address of etcd (http://host:2379, https://host:2379)");
  if (!secured && !tls.empty())
    return fail(trouble::usage,
                "'" + endpoint + "' is not secured: certificates for etcd belong to https://");
  if (tls.certificate.empty() != tls.key.empty())
    return fail(trouble::usage, "a certificate for etcd and its key belong together");
  for (const auto& file : {tls.authority, tls.certificate, tls.key})
    if (!file.empty() && !std::ifstream(file))
      return fail(trouble::usage, "certificates for etcd: cannot read " + file);
  auto client = std::make_unique<gateway_client>(endpoint, bound, tls);
  if (!client->usable())
    return fail(trouble::usage, "certificates for etcd: " + tls.certificate + " and " + tls.key +
                                    " are no certificate and its key in PEM");
  return client;
}

}  // namespace tenure::cluster
