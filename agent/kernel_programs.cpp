#include "agent/kernel_programs.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <system_error>
#include <tuple>
#include <unistd.h>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/file_descriptor.hpp"
#include "agent/going_on.hpp"
#include "agent/host_picture.hpp"
#include "agent/netns.hpp"
#include "agent/pinned_map.hpp"
#include "bpf/socket_event.h"
#include "tenure.skel.h"

namespace tenure::agent {

namespace {

constexpr const char* works_without = " (`tenure node` and `tenure attribute` work without)";

/// libbpf explains itself over many lines; ours is one, made from the error number.
int keep_quiet(libbpf_print_level, const char*, va_list) {
  return 0;
}

failure step_failed(const std::string& step, int error) {
  std::string text = step + " the kernel programs: ";
  if (error == EPERM || error == EACCES)
    text += ::geteuid() == 0 ? "the kernel refuses, " + std::generic_category().message(error) +
                                   "; CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN are needed, and no lockdown"
                             : "root is needed, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN";
  else
    text += std::generic_category().message(error) + "; a kernel from 5.15 on with CONFIG_BPF_JIT is needed";
  return {trouble::refused, text + works_without};
}

outcome<void> share(bpf_map* map, const std::string& path) {
  const file_descriptor shared{::bpf_obj_get(path.c_str())};
  if (!shared)
    return fail(trouble::refused,
                "cannot open the identity map at " + path + ": " + std::generic_category().message(errno));
  if (::bpf_map__reuse_fd(map, shared.get()) != 0)
    return tl::unexpected(step_failed("sharing the identity map with", errno));
  return {};
}

}  // namespace

outcome<std::unique_ptr<kernel_programs>> kernel_programs::load(const bpf_options& options) {
  ::libbpf_set_print(keep_quiet);
  if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0)
    return fail(
        trouble::refused,
        std::string("/sys/kernel/btf/vmlinux is missing: a kernel with CONFIG_DEBUG_INFO_BTF=y is needed") +
            works_without);
  auto* programs = ::tenure_programs__open();
  if (programs == nullptr) return tl::unexpected(step_failed("opening", errno));
  std::unique_ptr<kernel_programs> result{new kernel_programs(programs)};
  ::bpf_map__set_max_entries(programs->maps.events, static_cast<__u32>(options.ring_bytes));
  // Above what comes between two regular looks at tens of thousands of connections a second: past it, every
  // event is a wake-up.
  programs->rodata->wake_above_bytes = options.ring_bytes / 4;
  if (!options.pin.empty()) {
    for (const auto& [map, path] : {std::pair{programs->maps.identities, pinned_map_path(options.pin)},
                                    {programs->maps.port_tenancies, pinned_port_count_path(options.pin)}})
      if (auto shared = share(map, path); !shared) return tl::unexpected(shared.error());
  }
  result->choose_programs(options);
  result->pin_ = options.pin;
  result->leaves_programs_ = options.leave_programs && !options.pin.empty();
  if (::tenure_programs__load(programs) != 0) {
    auto why = step_failed("loading", errno);
    if (options.watch_datagrams) why.text += "; UDP needs Linux 6.1";
    return tl::unexpected(std::move(why));
  }
  return result;
}

/// Loads only what is asked for.
void kernel_programs::choose_programs(const bpf_options& options) {
  const auto& progs = programs_->progs;
  for (auto* program : {progs.connect4_asked, progs.connect6_asked})
    ::bpf_program__set_autoload(program, options.watch_connects);
  for (auto* program : {progs.datagram_sent, progs.datagram_received, progs.datagram_socket_made,
                        progs.datagram_socket_found, progs.look_at_datagrams})
    ::bpf_program__set_autoload(program, options.watch_datagrams);
  if (options.watch_datagrams)
    ::bpf_map__set_max_entries(programs_->maps.datagram_flows, options.most_datagram_flows);
  programs_->bss->datagram_transit_ns = static_cast<__u64>(options.transit_floor);
  watches_connects_ = options.watch_connects;
  watches_datagrams_ = options.watch_datagrams;
}

kernel_programs::~kernel_programs() {
  detach();
  ::ring_buffer__free(ring_);
  ::ring_buffer__free(left_ring_);
  ::tenure_programs__destroy(programs_);
}

outcome<jiffy_clock> kernel_programs::calibrate() {
  constexpr int attempts = 20;  // a second and a quarter
  return jiffy_clock::calibrate_in(attempts, [this] { return clock_samples(); });
}

outcome<std::vector<jiffy_sample>> kernel_programs::clock_samples() {
  constexpr nanos span = 60 * millisecond;
  std::vector<jiffy_sample> samples;
  const int program = ::bpf_program__fd(programs_->progs.read_clocks);
  do {
    LIBBPF_OPTS(bpf_test_run_opts, run);
    if (::bpf_prog_test_run_opts(program, &run) != 0) return tl::unexpected(step_failed("running", errno));
    samples.push_back(
        {programs_->bss->clock_jiffies, static_cast<nanos>(programs_->bss->clock_monotonic_ns)});
    ::poll(nullptr, 0, 1);  // the samples shall fall all over the tick
  } while (samples.back().monotonic - samples.front().monotonic < span);
  return samples;
}

nanos kernel_programs::boot_time() const {
  return static_cast<nanos>(programs_->bss->clock_boot_ns);
}

outcome<void> kernel_programs::attach(bpf_program* program) {
  auto* link = ::bpf_program__attach(program);
  if (link == nullptr) return tl::unexpected(step_failed("attaching", errno));
  links_.push_back(link);
  return {};
}

outcome<void> kernel_programs::attach(bool cgroups) {
  if (!pin_.empty()) open_what_went_on();
  // The second finds what the first has done.
  for (auto* program : {programs_->progs.socket_state_changed, programs_->progs.socket_state_changed_unseen})
    if (auto done = attach(program); !done) return done;
  // What an agent before this one left goes on until now, so that no end is missed in between.
  if (!pin_.empty()) end_going_on(pin_);
  if (!pin_.empty())
    if (auto pinned = let_go_on(pin_, links_, ::bpf_map__fd(programs_->maps.events)); !pinned) return pinned;
  if (watches_connects_ || watches_datagrams_)
    if (auto done = attach_to_root_cgroup(); !done) return done;
  // Without them the next heartbeat looks.
  if (cgroups)
    for (auto* program : {programs_->progs.cgroup_made, programs_->progs.cgroup_entered})
      std::ignore = attach(program);
  return {};
}

outcome<void> kernel_programs::attach_to_root_cgroup() {
  const auto mount = find_cgroup_mount();
  if (!mount) return tl::unexpected(mount.error());
  const file_descriptor root{::open(mount->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!root) return tl::unexpected(step_failed("attaching", errno));
  const auto& progs = programs_->progs;
  std::vector<std::pair<bpf_program*, bpf_attach_type>> wanted;
  if (watches_connects_)
    wanted = {{progs.connect4_asked, BPF_CGROUP_INET4_CONNECT},
              {progs.connect6_asked, BPF_CGROUP_INET6_CONNECT}};
  // Sockets first, so that none that sends is unknown.
  if (watches_datagrams_)
    wanted.insert(wanted.end(), {{progs.datagram_socket_made, BPF_CGROUP_INET_SOCK_CREATE},
                                 {progs.datagram_sent, BPF_CGROUP_INET_EGRESS},
                                 {progs.datagram_received, BPF_CGROUP_INET_INGRESS}});
  // Before the programs of cgroups further down, where the kernel can do that (6.15).
  constexpr __u32 from_the_root_on = 1U << 6U;  // BPF_F_PREORDER
  for (const auto& [program, where] : wanted) {
    LIBBPF_OPTS(bpf_link_create_opts, how);
    how.flags = from_the_root_on;
    // A link and no more: it ends with this process, however that ends.
    file_descriptor link{::bpf_link_create(::bpf_program__fd(program), root.get(), where, &how)};
    how.flags = 0;
    if (!link) link = file_descriptor{::bpf_link_create(::bpf_program__fd(program), root.get(), where, &how)};
    if (!link) return tl::unexpected(step_failed("attaching", errno));
    cgroup_links_.push_back(std::move(link));
  }
  return {};
}

void kernel_programs::detach() {
  if (!links_.empty() && !pin_.empty() && !leaves_programs_) end_going_on(pin_);
  cgroup_links_.clear();
  for (auto* link : std::exchange(links_, {})) ::bpf_link__destroy(link);
}

std::uint64_t kernel_programs::host_changes() const {
  return *static_cast<const volatile __u64*>(&programs_->bss->host_changes);
}

outcome<void> kernel_programs::walk(const std::vector<std::string>& paths, nanos part_after) {
  programs_->bss->part_after_ns = static_cast<__u64>(part_after);
  ++programs_->bss->walks;
  return visit_sockets(programs_->progs.socket_walked_over, paths);
}

outcome<void> kernel_programs::find_datagram_sockets(const std::vector<std::string>& paths) {
  return visit_sockets(programs_->progs.datagram_socket_found, paths);
}

void kernel_programs::end_datagram_flows(nanos idle, nanos part_after) {
  programs_->bss->datagram_idle_ns = static_cast<__u64>(idle);
  programs_->bss->part_after_ns = static_cast<__u64>(part_after);
  look_at_datagrams();
}

void kernel_programs::look_at_datagrams() {
  LIBBPF_OPTS(bpf_test_run_opts, run);
  // Of what is there already; it is asked again soon.
  std::ignore = ::bpf_prog_test_run_opts(::bpf_program__fd(programs_->progs.look_at_datagrams), &run);
}

outcome<void> kernel_programs::cut_off(const std::vector<std::string>& paths) {
  programs_->bss->agent_ends = 1;
  if (watches_datagrams_) look_at_datagrams();
  if (leaves_programs_) return {};
  return visit_sockets(programs_->progs.socket_walked_over, paths);
}

outcome<void> kernel_programs::visit_sockets(bpf_program* program, const std::vector<std::string>& paths) {
  const std::unique_ptr<bpf_link, int (*)(bpf_link*)> link{::bpf_program__attach_iter(program, nullptr),
                                                           ::bpf_link__destroy};
  if (!link) return tl::unexpected(step_failed("attaching", errno));
  for (const auto& path : paths) {
    std::ignore = run_in_netns(path, [&] {
      const file_descriptor walk{::bpf_iter_create(::bpf_link__fd(link.get()))};
      std::array<char, 4096> nothing;  // the program writes nothing; reading is what makes it run
      while (walk) {
        const auto got = ::read(walk.get(), nothing.data(), nothing.size());
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) break;
      }
    });
  }
  return {};
}

outcome<void> kernel_programs::read_events(std::function<void(const tenure_socket_event&)> take) {
  take_ = std::move(take);
  const auto on_event = [](void* self, void* data, std::size_t size) {
    // The programs are of this very build, so another size is a broken invariant.
    if (size < sizeof(tenure_socket_event)) std::abort();
    auto& me = *static_cast<kernel_programs*>(self);
    const auto& e = *static_cast<const tenure_socket_event*>(data);
    if (!me.told_already(e, take_over::side::own)) me.take_(e);
    return 0;
  };
  ring_ = ::ring_buffer__new(::bpf_map__fd(programs_->maps.events), on_event, this, nullptr);
  if (ring_ == nullptr) return tl::unexpected(step_failed("reading from", errno));
  return {};
}

void kernel_programs::drain(nanos wait) {
  if (wait > 0) {
    pollfd ready{::ring_buffer__epoll_fd(ring_), POLLIN, 0};
    ::poll(&ready, 1, static_cast<int>(wait / millisecond));
  }
  if (left_ring_ != nullptr) drain_what_went_on();
  ::ring_buffer__consume(ring_);
}

bool kernel_programs::told_already(const tenure_socket_event& e, take_over::side by) {
  if (!side_by_side_) return false;
  // Ours were not there yet.
  if (static_cast<nanos>(e.closed_ns) < boot_time()) return false;
  const bool twice = side_by_side_->told_already(e, by);
  if (twice) ++seen_twice_;
  return twice;
}

void kernel_programs::open_what_went_on() {
  const auto on_event = [](void* self, void* data, std::size_t size) {
    auto& me = *static_cast<kernel_programs*>(self);
    const auto* e = static_cast<const tenure_socket_event*>(data);
    // Of another version of the programs: its reader is gone, and nobody else can read it.
    if (size < sizeof *e || e->version != TENURE_SOCKET_EVENT_VERSION) return 0;
    ++me.taken_over_;
    if (!me.told_already(*e, take_over::side::left)) me.take_(*e);
    return 0;
  };
  const auto ring = ring_going_on(pin_);
  if (ring) left_ring_ = ::ring_buffer__new(ring.get(), on_event, this, nullptr);
  if (left_ring_ != nullptr) side_by_side_.emplace();
}

/// The kernel takes a moment to end programs whose last pin is gone; they write until then.
void kernel_programs::drain_what_went_on() {
  constexpr int looks = 100;
  ::ring_buffer__consume(left_ring_);
  if (++left_looks_ < looks) return;
  ::ring_buffer__free(std::exchange(left_ring_, nullptr));
  side_by_side_.reset();
}

std::uint64_t kernel_programs::missed_runs() const {
  bpf_prog_info info = {};
  __u32 size = sizeof(info);
  const int program = ::bpf_program__fd(programs_->progs.socket_state_changed);
  if (::bpf_obj_get_info_by_fd(program, &info, &size) != 0) return 0;
  const std::uint64_t stood_in = read_counters()[TENURE_STOOD_IN];
  return info.recursion_misses > stood_in ? info.recursion_misses - stood_in : 0;
}

std::array<std::uint64_t, TENURE_COUNTERS> kernel_programs::read_counters() const {
  std::array<std::uint64_t, TENURE_COUNTERS> result{};
  std::vector<std::uint64_t> per_cpu(static_cast<std::size_t>(::libbpf_num_possible_cpus()));
  for (__u32 which = 0; which < TENURE_COUNTERS; ++which) {
    if (::bpf_map_lookup_elem(::bpf_map__fd(programs_->maps.counters), &which, per_cpu.data()) != 0) continue;
    for (const auto n : per_cpu) result[which] += n;
  }
  return result;
}

}  // namespace tenure::agent
