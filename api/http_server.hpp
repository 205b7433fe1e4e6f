#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ownership/outcome.hpp"

namespace tenure::api {

/// Serves GET requests on its own threads while it lives.
class http_server {
 public:
  virtual ~http_server() = default;
  virtual std::uint16_t port() const = 0;
};

/// What is answered under a path: the text is made anew for each request, on the server's threads.
struct http_page {
  std::string path;
  const char* type = "application/json";
  std::function<std::string()> text;
};

/// What a POST to a path does, on the server's threads. Only from this host, and with the header
/// `Tenure-Command`, which no web page may send without being asked: others are refused (403).
struct http_action {
  std::string path;
  std::function<void()> done;
};

/// Serves the pages, and `/healthz`.
/// @param address "host:port"; port 0 takes a free one. trouble::refused when the port is taken.
outcome<std::unique_ptr<http_server>> serve(const std::string& address, std::vector<http_page> pages,
                                            std::vector<http_action> actions = {});

/// Asks another process's server. A failure says what to do.
outcome<std::string> http_get(const std::string& address, const std::string& path);
/// Has another process's server do something. A failure says what to do.
outcome<void> http_do(const std::string& address, const std::string& path);

}  // namespace tenure::api
