#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/bpf_flow_source.hpp"
#include "agent/file_descriptor.hpp"
#include "agent/jiffy_clock.hpp"
#include "agent/take_over.hpp"
#include "bpf/counters.h"

struct bpf_link;
struct bpf_program;
struct ring_buffer;
struct tenure_programs;
struct tenure_socket_event;

namespace tenure::agent {

/// Tenure's kernel programs, opened and loaded; attached while asked for. One thread at a time, but for
/// `read_counters`.
class kernel_programs {
 public:
  /// Failures say which step it was: open, load.
  static outcome<std::unique_ptr<kernel_programs>> load(const bpf_options& options);
  ~kernel_programs();
  kernel_programs(const kernel_programs&) = delete;
  kernel_programs& operator=(const kernel_programs&) = delete;

  /// What a jiffy is on this kernel; takes about 60 ms.
  outcome<jiffy_clock> calibrate();
  /// The kernel's boot-time clock when `calibrate` last read it.
  nanos boot_time() const;
  /// From when this returns, every transition of a TCP socket is seen.
  /// @param cgroups whether what happens to cgroups counts as a change of the host, where the kernel tells
  outcome<void> attach(bool cgroups);
  /// Grows when a listener or a cgroup comes or goes, or a process enters one.
  std::uint64_t host_changes() const;
  /// When this returns, no program runs any more but those that are left for the next agent.
  void detach();
  /// Walks over the sockets in the namespaces at `paths`; those that are gone by now are passed over. Marks
  /// the ones that were open before, and reports a part of each that has been open for `part_after` since its
  /// last one (0: of none).
  outcome<void> walk(const std::vector<std::string>& paths, nanos part_after);
  /// Notes the UDP sockets that are there in the namespaces at `paths`; theirs is nobody's.
  outcome<void> find_datagram_sockets(const std::vector<std::string>& paths);
  /// Reports the UDP flows in which nothing has passed for `idle`, and a part of each that has lasted for
  /// `part_after` since its last one (0: of none).
  void end_datagram_flows(nanos idle, nanos part_after);
  /// Reports every open connection as cut off, once; nothing more is to be told of them. Where programs are
  /// left for the next agent, only UDP's, of which none go on.
  outcome<void> cut_off(const std::vector<std::string>& paths);

  /// @param take is called by `drain`, on its thread, for each event.
  outcome<void> read_events(std::function<void(const tenure_socket_event&)> take);
  /// Waits until much has come, `wait` at the longest, then hands over everything there is; first what the
  /// programs of an agent before this one wrote, which had not ended them.
  void drain(nanos wait);
  /// How many events those were.
  std::uint64_t taken_over() const { return taken_over_; }
  /// Events that were not handed over, since the programs of both agents told of the same end.
  std::uint64_t seen_twice() const { return seen_twice_; }

  std::array<std::uint64_t, TENURE_COUNTERS> read_counters() const;
  /// Transitions that no program saw: the kernel leaves one out that is running on that CPU already, and the
  /// stand-in was out, too. While it counts up, it may be off by those that are being handled.
  std::uint64_t missed_runs() const;

 private:
  explicit kernel_programs(tenure_programs* loaded) : programs_(loaded) {}
  void choose_programs(const bpf_options& options);
  outcome<std::vector<jiffy_sample>> clock_samples();
  outcome<void> visit_sockets(bpf_program* program, const std::vector<std::string>& paths);
  void look_at_datagrams();
  void open_what_went_on();
  bool told_already(const tenure_socket_event& e, take_over::side by);
  void drain_what_went_on();

  tenure_programs* programs_;
  bool watches_connects_ = false;
  bool watches_datagrams_ = false;
  bool leaves_programs_ = false;
  outcome<void> attach(bpf_program* program);
  outcome<void> attach_to_root_cgroup();

  std::vector<bpf_link*> links_;
  std::vector<file_descriptor> cgroup_links_;
  std::string pin_;  ///< empty: nothing goes on when this process ends
  ring_buffer* ring_ = nullptr;
  ring_buffer* left_ring_ = nullptr;  ///< of an agent before this one, for a while
  int left_looks_ = 0;
  std::optional<take_over> side_by_side_;  ///< as long as there is that ring
  std::atomic<std::uint64_t> seen_twice_ = 0;
  std::atomic<std::uint64_t> taken_over_ = 0;
  std::function<void(const tenure_socket_event&)> take_;
};

}  // namespace tenure::agent
