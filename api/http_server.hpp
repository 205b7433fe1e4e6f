#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ownership/outcome.hpp"

namespace tenure::api {

/// Serves GET requests on its own threads while it lives.
class http_server {
 public:
  virtual ~http_server() = default;
  virtual std::uint16_t port() const = 0;
};

/// Serves `/metrics` (Prometheus text format) and `/healthz`.
/// @param address "host:port"; port 0 takes a free one. trouble::refused when the port is taken.
/// @param metrics gives the text anew for each scrape; called from the server's threads.
outcome<std::unique_ptr<http_server>> serve(const std::string& address, std::function<std::string()> metrics);

}  // namespace tenure::api
