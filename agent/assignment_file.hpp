#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/address_check.hpp"
#include "agent/identity_map.hpp"
#include "agent/ipman.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// What platforms have assigned, in a file that outlives the agent, so that the next one begins with it. A
/// change is a line; what the host's own end leaves in it is forgotten. One thread.
class assignment_file {
 public:
  /// An accepted `set`, and the network namespace that it was about: its path may lead to another one by
  /// then.
  struct entry {
    ipman_request request;
    std::uint64_t netns_cookie = 0;
  };

  /// @param host_start something that differs after each start of this host
  /// A failure (trouble::refused) when it cannot be read or written. Lines that are none, as a crash may
  /// leave the last one, are passed over.
  static outcome<std::unique_ptr<assignment_file>> open(const std::string& path,
                                                        const std::string& host_start);

  /// What an agent before this one left. They are not kept on unless they are `put` again.
  const std::vector<entry>& left() const { return left_; }

  /// Keeps what a platform was told to be done: a `set` or a `del` and the reply to it. Anything else, and
  /// what was refused, changes nothing. Where it cannot be written the file is removed: the next agent begins
  /// with nothing, rather than with what was taken back; the next change tries again.
  /// @returns trouble::refused when it could not be written
  outcome<void> keep(const ipman_request& request, const std::string& reply);

 private:
  using file_ptr = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  /// By endpoint and namespace, of which either may have several of the other.
  using key = std::pair<std::string, std::uint64_t>;

  assignment_file(std::string path, std::string host_start)
      : path_(std::move(path)), host_start_(std::move(host_start)) {}
  void read();
  outcome<void> rewrite();
  outcome<void> append(const std::string& line);

  std::string path_;
  std::string host_start_;
  std::vector<entry> left_;
  std::map<key, std::string> lines_;
  file_ptr file_{nullptr, std::fclose};
  std::size_t written_ = 0;
};

/// Says again what an agent before this one left, of the namespaces that are still there, and keeps what the
/// agent accepts: as tenancies that begin now. @param held the endpoints that were held when it ended; of the
/// others nobody knows who has had them since @param ask answers as ipman_server's handler
/// @returns how many were accepted
std::size_t say_again(assignment_file& file, const std::set<identity_key>& held, address_check& check,
                      const std::function<std::string(const ipman_request&)>& ask);

}  // namespace tenure::agent
