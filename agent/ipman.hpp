#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ownership/outcome.hpp"

namespace tenure::agent {

/// What a platform or an operator says over the Unix socket: one JSON object a line, one reply a line
/// (docs/ipman.md).
struct ipman_request {
  enum class action { set, del, list };
  action verb = action::list;
  std::string endpoint;  ///< "10.0.0.1" or, with a port, "10.0.0.1:443"
  std::string workload;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string netns;  ///< path; empty: found
  /// set, from the agent itself only: the host's own claim, as in tenancy_tracker::set.
  bool unless_forwarding = false;
  std::string tenancy;  ///< del: only if it is still this one; empty: whichever holds the endpoint
};

/// JSON of one line to a request, or what was expected instead.
outcome<ipman_request> parse_ipman_request(const std::string& line);
std::string format_ipman_request(const ipman_request& r);

/// Listens on a Unix socket, mode 0600, on its own thread. Lines are bounded (64 KiB), as are connections
/// (64).
class ipman_server {
 public:
  /// Answers a request with the reply line (JSON, without the newline). Called from the server's thread; it
  /// may block for as long as the bounded wait of what answers it.
  using handler = std::function<std::string(const ipman_request&)>;
  /// A stale socket file is replaced; one that somebody answers on is refused (trouble::refused).
  static outcome<std::unique_ptr<ipman_server>> start(const std::string& path, handler h);
  virtual ~ipman_server() = default;
};

/// Sends one request and waits, bounded by 10 s, for the reply line. trouble::refused when nobody listens.
outcome<std::string> ipman_call(const std::string& path, const ipman_request& r);

}  // namespace tenure::agent
