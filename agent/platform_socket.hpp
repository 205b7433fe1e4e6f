#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "agent/assignment_file.hpp"
#include "agent/ipman.hpp"

namespace tenure::agent {

/// The socket over which platforms say who has which address, and the memory of what they said: what an agent
/// before this one was told begins anew before anything else is heard. Kept beside the socket, at
/// `PATH.assigned`.
class platform_socket {
 public:
  /// @param held the endpoints that were held when the agent before this one ended
  /// @param host_start something that differs after each start of this host
  /// @param answer as ipman_server's handler
  /// @param unkept told why a change could not be kept; from the server's thread, it must not block
  static outcome<std::unique_ptr<platform_socket>> start(const std::string& path,
                                                         const std::string& host_start,
                                                         const std::set<identity_key>& held,
                                                         ipman_server::handler answer,
                                                         std::function<void(const failure&)> unkept);
  /// Nothing is answered any more when this returns.
  ~platform_socket();

  std::size_t said_before() const { return file_->left().size(); }
  /// How many of those began anew: the address was held to the end, and is there still, in the same
  /// namespace.
  std::size_t said_again() const { return said_again_; }

 private:
  platform_socket() = default;
  std::string hear(const ipman_request& request);

  ipman_server::handler answer_;
  std::function<void(const failure&)> unkept_;
  std::mutex mutex_;
  std::unique_ptr<assignment_file> file_;  // under the mutex
  std::size_t said_again_ = 0;
  std::unique_ptr<ipman_server> server_;
};

}  // namespace tenure::agent
