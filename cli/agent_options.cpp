#include <fmt/format.h>

#include "cli/agent_service.hpp"

namespace tenure::cli {

void add_agent_options(command& c, agent_options& o) {
  c.option("ipman-socket", o.ipman_socket, "where platforms assign addresses to workloads").shown_as("PATH");
  c.option("pin", o.pin, "where the identity maps are pinned, on a bpf file system").shown_as("PATH");
  c.option("identity", o.identity,
           "who this host is: TOML (workload, addresses, labels) or an X.509-SVID in PEM")
      .shown_as("FILE");
  c.flag("cgroups", o.cgroups,
         "name sockets and listeners by their cgroups: containers, pods, systemd units; the host then claims "
         "ports of its addresses, not the whole");
  c.option("cgroup-rule", o.cgroup_rules,
           "with --cgroups: names the paths that match, before the built-in rules")
      .shown_as("'PATTERN => NAME'");
  c.option("container-cidr", o.container_cidrs,
           "with --cgroups: where containers' addresses are unique in the fleet");
  c.option("container-runtime", o.container_runtimes,
           "with --cgroups: a socket that speaks Docker's API, or with cri: before its path Kubernetes' CRI, "
           "asked for names; Docker's, Podman's, containerd's and CRI-O's when not given")
      .shown_as("PATH");
  c.option("netns", o.netns, "report only sockets of this network namespace; repeatable").shown_as("PATH");
  c.option("leave-out", o.leave_out, "far addresses whose flows are not reported; repeatable");
  c.option("sample", o.sample, "report one connection of so many, the same ones at both ends");
  c.option("agent-name", o.agent_name, "written into every record; the host's name when not given");
  c.option("heartbeat", o.heartbeat, "how often every tenancy is verified and reported");
  c.option("linger", o.linger, "how long flows gather before they are sent");
  c.option("repeat", o.repeat,
           "for how long an ended tenancy is still reported: the longest hold and five minutes");
  c.option("transit", o.transit,
           "a segment that TCP accepted was sent at most this long before (or four round trips)");
  c.flag("dialled", o.dialled,
         "say what was dialled where that is not what was reached: watches connects and asks the kernel's "
         "connection tracking about every flow");
  c.flag("udp", o.udp, "report UDP flows, too: a program then sees every packet of this host");
  c.option("idle-timeout", o.idle_timeout,
           "with --udp: a UDP flow in which nothing passed for so long has ended");
  c.flag("leave-programs", o.leave_programs,
         "at the end leave the kernel programs to the next agent, as a killed one does: it tells what ended "
         "meanwhile, and until it comes they cost what they cost");
  c.option("record", o.record, "write every socket event, as the kernel gave it, to this file too")
      .shown_as("FILE");
  c.option("replay", o.replay,
           "take socket events from such a file, not from the kernel: needs no permission")
      .shown_as("FILE");
  c.option("spool", o.spool, "a folder where sealed batches survive the end of this process; empty: nowhere")
      .shown_as("PATH");
  c.option("spool-mib", o.spool_mib, "bound on what is kept there; beyond it the oldest are dropped");
  c.option(
      "active-timeout", o.active_timeout,
      "a connection open for so long is reported in parts, one for each such time; 0s: only when it ends");
  c.option("stop-timeout", o.stop_timeout, "how long the end waits for acknowledgements");
}

agent::bpf_options kernel_options(const agent_options& o) {
  agent::bpf_options kernel;
  kernel.pin = o.pin;
  kernel.transit_floor = o.transit.count();
  kernel.active_timeout = o.active_timeout.count();
  kernel.record = o.record;
  kernel.watch_connects = o.dialled;
  kernel.watch_datagrams = o.udp;
  kernel.idle_timeout = o.idle_timeout.count();
  kernel.leave_programs = o.leave_programs;
  return kernel;
}

std::string summary(const actors::agent_counters& c, const agent::source_counters& source) {
  return fmt::format(
      "{} flows observed, {} acknowledged, {} retained, {} dropped, {} kernel events lost, {} runs missed, "
      "{} left out as within one namespace",
      c.flows_observed.load(), c.flows_acknowledged.load(), c.flows_retained.load(), c.flows_dropped.load(),
      source.events_lost, source.runs_missed, source.loopback_left_out);
}

}  // namespace tenure::cli
