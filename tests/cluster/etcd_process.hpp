#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "cluster/etcd_client.hpp"

namespace tenure::cluster {

/// A real etcd of one member, with ports and a folder of its own; gone with the test.
class etcd_process {
 public:
  /// Started, and answers. Throws std::runtime_error when it does not.
  /// @param host its IPv4 address
  /// @param wrapper words to put before the command
  /// @param own files: it speaks https and asks for certificates; empty: plainly
  explicit etcd_process(std::string host = "127.0.0.1", std::vector<std::string> wrapper = {},
                        etcd_tls own = {});
  ~etcd_process();
  etcd_process(const etcd_process&) = delete;
  etcd_process& operator=(const etcd_process&) = delete;

  std::string endpoint() const {
    return (own_.empty() ? "http://" : "https://") + host_ + ":" + std::to_string(client_port_);
  }
  std::unique_ptr<etcd_client> client() const;

  /// SIGKILL.
  void kill();
  /// Again, with the data and the port that it had, or with nothing in it.
  void start_again(bool emptied = false);

 private:
  bool start();

  std::string host_;
  std::vector<std::string> wrapper_;
  etcd_tls own_;
  std::string folder_;
  std::uint16_t client_port_ = 0;
  std::uint16_t peer_port_ = 0;
  pid_t id_ = -1;
};

}  // namespace tenure::cluster
