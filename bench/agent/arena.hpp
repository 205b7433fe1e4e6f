#pragma once

#include <functional>
#include <string>

#include "demo/network_namespace.hpp"
#include "ownership/outcome.hpp"

namespace tenure::bench {

/// Two network namespaces of this run alone on one link: `client` is 10.79.0.1, `server` 10.79.0.2. Ports are
/// used again soon, so that tens of thousands of connections a second do not run out of them.
class arena {
 public:
  static outcome<arena> make(const std::string& prefix);

  void in_client(const std::function<void()>& work) const { client_.within(work); }
  void in_server(const std::function<void()>& work) const { server_.within(work); }
  std::string client_path() const { return client_.path(); }
  std::string server_path() const { return server_.path(); }

 private:
  arena(demo::network_namespace client, demo::network_namespace server)
      : client_(std::move(client)), server_(std::move(server)) {}

  demo::network_namespace client_;
  demo::network_namespace server_;
};

}  // namespace tenure::bench
