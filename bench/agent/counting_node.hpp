#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "ownership/outcome.hpp"
#include "transport/asio_transport.hpp"

namespace tenure::bench {

/// Stands in for a node: welcomes, acknowledges every batch at once,
/// and counts the flows it was given. It costs next to nothing, so that the agent is what is measured.
class counting_node {
 public:
  static outcome<std::unique_ptr<counting_node>> start();

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::uint64_t flows() const { return *flows_; }

 private:
  std::shared_ptr<std::atomic<std::uint64_t>> flows_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::unique_ptr<transport::asio_transport> net_ = transport::make_asio_transport();
  std::uint16_t port_ = 0;
};

}  // namespace tenure::bench
