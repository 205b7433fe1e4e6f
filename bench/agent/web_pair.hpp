#pragma once

#include <memory>
#include <string>

#include "bench/agent/arena.hpp"
#include "demo/child_process.hpp"
#include "ownership/outcome.hpp"

namespace tenure::bench {

/// nginx in the server's namespace and wrk in the client's, both as Debian ships them, every request a
/// connection of its own. Nothing is started as a service.
class web_pair {
 public:
  /// @param folder for nginx's files
  static outcome<std::unique_ptr<web_pair>> start(const arena& where, const std::string& folder);
  ~web_pair();
  web_pair(const web_pair&) = delete;
  web_pair& operator=(const web_pair&) = delete;

  /// Connections a second that wrk saw over `seconds`; a failure when some of them failed.
  outcome<double> run(int seconds);

 private:
  web_pair() = default;

  std::string folder_;
  std::string client_;
  std::unique_ptr<demo::child_process> nginx_;
};

}  // namespace tenure::bench
