#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/clock.hpp"
#include "agent/file_descriptor.hpp"
#include "agent/look_failures.hpp"
#include "agent/observed_flow.hpp"
#include "ownership/endpoint.hpp"

namespace tenure::agent {

/// One entry of a namespace's connection tracking: who asked for what, and who answered whom.
struct tracked_connection {
  endpoint asking;         ///< as the opener's packets say it before any translation
  endpoint asked;          ///< and where they were sent
  endpoint answering;      ///< as the answers say it: where they really went
  endpoint answered;       ///< and to whom the answers go: the opener, or what it was translated to
  std::uint8_t state = 0;  ///< enum tcp_conntrack
};

/// What the kernel's answer says; nothing when it is malformed or about something else.
std::optional<tracked_connection> read_tracked(std::span<const std::byte> body);

/// Whether an entry can be that of this flow, and not of a later connection of the same two endpoints.
bool can_be_of(const tracked_connection& entry, const flow& f);

/// Asks connection tracking, first of the socket's own network namespace, then of the agent's, where packets
/// of containers go through, whether an endpoint was translated. One thread, but for the counters.
class conntrack {
 public:
  struct counts {
    std::uint64_t translated = 0;  ///< flows of which it was told
    std::uint64_t too_late = 0;    ///< flows that came too late to ask: the entry may be another's by then
  };

  /// @param failures counts what could not be asked
  conntrack(std::shared_ptr<const boot_clock> clock, std::shared_ptr<look_failures> failures);

  /// Gives each flow of a source the destination that was really reached as its far end, and what was dialled
  /// beside it; a flow of a destination only the latter. What conntrack does not know stays as it is.
  void translate(std::vector<observed_flow>& flows);
  counts counters() const { return {translated_, too_late_}; }

 private:
  /// The two ends of a flow as they are seen from a namespace.
  struct seen_flow {
    observed_flow* flow = nullptr;
    endpoint source;
    endpoint destination;
  };
  void ask_in(const file_descriptor& socket, std::vector<seen_flow>& flows);
  bool ask(const file_descriptor& socket, seen_flow& seen);
  void ask_elsewhere(std::uint64_t cookie, std::vector<seen_flow>& flows);
  const std::string* path_of(std::uint64_t cookie);

  std::shared_ptr<const boot_clock> clock_;
  std::shared_ptr<look_failures> failures_;
  std::uint64_t own_cookie_;
  file_descriptor own_;  ///< of the agent's namespace; others' are not kept, which would keep them alive
  std::unordered_map<std::uint64_t, std::string> paths_;
  nanos paths_read_ = time_min;
  std::uint32_t sequence_ = 0;
  std::atomic<std::uint64_t> translated_ = 0;
  std::atomic<std::uint64_t> too_late_ = 0;
};

}  // namespace tenure::agent
