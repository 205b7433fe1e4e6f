#include "cli/tls_options.hpp"

#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>

namespace tenure::cli {
namespace {

/// Whoever reaches the port can make it turn somebody down: the log must not fill by that.
class turned_down_log {
 public:
  explicit turned_down_log(std::string what) : what_(std::move(what)) {}

  void operator()(const std::string& peer, transport::close_reason why) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) {
      ++unsaid_;
      return;
    }
    next_ = now + std::chrono::seconds{1};
    const auto more = std::exchange(unsaid_, 0U);
    spdlog::warn("{} {}: no link: {}{}", what_, peer, transport::to_string(why),
                 more > 0 ? fmt::format(" (and {} more before)", more) : "");
  }

 private:
  std::string what_;
  std::chrono::steady_clock::time_point next_{};
  std::uint64_t unsaid_ = 0;
};

}  // namespace

tls_options::tls_options()
    : agents{*transport::spiffe_pattern::parse("spiffe://*/tenure/agent/*")},
      nodes{*transport::spiffe_pattern::parse("spiffe://*/tenure/node/*")} {}

void add_certificate_options(command& c, tls_options& o) {
  c.option("tls-certificate", o.certificate,
           "our certificate (PEM, chain included; one SPIFFE id); empty: no TLS")
      .shown_as("FILE");
  c.option("tls-key", o.key, "its key (PEM)").shown_as("FILE");
  c.option("tls-authority", o.authority, "whose certificates are accepted (PEM)").shown_as("FILE");
}

void add_agent_id_option(command& c, tls_options& o) {
  c.option("agent-id", o.agents,
           "whose certificates are agents'; repeatable; spiffe://*/tenure/agent/* when none is given");
}

void add_node_id_option(command& c, tls_options& o) {
  c.option("node-id", o.nodes,
           "whose certificates are nodes'; repeatable; spiffe://*/tenure/node/* when none is given");
}

outcome<std::shared_ptr<transport::tls_credentials>> load_credentials(const tls_options& o) {
  if (o.certificate.empty() && o.key.empty() && o.authority.empty())
    return std::shared_ptr<transport::tls_credentials>{};
  if (o.certificate.empty() || o.key.empty() || o.authority.empty())
    return fail(trouble::usage,
                "--tls-certificate, --tls-key and --tls-authority go together; give all three");
  return transport::tls_credentials::load({o.certificate, o.key, o.authority});
}

transport::asio_options secured(std::shared_ptr<transport::tls_credentials> credentials,
                                std::vector<transport::spiffe_pattern> allowed, const std::string& what) {
  transport::asio_options out;
  out.turned_down = turned_down_log(what);  // over a Unix socket somebody may be turned down without any
  if (!credentials) return out;
  out.credentials = std::move(credentials);
  out.allowed = std::move(allowed);
  return out;
}

}  // namespace tenure::cli
