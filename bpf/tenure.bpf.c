// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// Tenure's kernel programs: each TCP socket's life from its first state to its last, one event at the end.
#include "vmlinux.h"
// vmlinux.h first: the others use its types
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/connects.h"
#include "bpf/datagram_sweep.h"
#include "bpf/datagrams.h"
#include "bpf/handlers.h"
#include "bpf/walk.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline bool matters(int old_state, int new_state) {
  switch (new_state) {
    case TCP_SYN_SENT:
    case TCP_SYN_RECV:
    case TCP_ESTABLISHED:
      return true;
    case TCP_CLOSE:
      return old_state != TCP_LISTEN && old_state != TCP_CLOSE;
  }
  return false;
}

static __always_inline void handle(struct sock* sk, struct socket_state* s, int old_state, int new_state) {
  switch (new_state) {
    case TCP_SYN_SENT:
      on_connecting(sk, s);
      break;
    case TCP_SYN_RECV:
      on_accepting(s);
      break;
    case TCP_ESTABLISHED:
      on_established(sk, s, old_state);
      break;
    case TCP_CLOSE:
      on_closed(sk, s, old_state);
      break;
  }
  if (s) s->state = new_state;
}

/* Counts what may change who uses this host's endpoints: listeners, cgroups, and what moves into them. User
 * space looks when it has grown; by how much does not matter. */
__u64 host_changes;

/* Called before the socket's state is written. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(socket_state_changed, struct sock* sk, int old_state, int new_state) {
  if (old_state == TCP_LISTEN || new_state == TCP_LISTEN) ++host_changes;
  if (matters(old_state, new_state) && is_tcp(sk)) handle(sk, follow(sk, new_state), old_state, new_state);
  return 0;
}

/* The kernel runs no program within itself: when a packet's interrupt comes while the one above runs, and
 * changes another socket's state on that CPU, the one above is left out, and a connection would be lost. This
 * one is attached after it and does what was not done. The interrupted one can only be one of the two, and
 * TCP is worked on at two levels only (a system call, and the softirq above it), so one of them is always
 * free. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(socket_state_changed_unseen, struct sock* sk, int old_state, int new_state) {
  struct socket_state* s;
  if (!matters(old_state, new_state) || !is_tcp(sk)) return 0;
  s = follow(sk, new_state);
  if (!s || s->state == new_state) return 0;
  count(TENURE_STOOD_IN);
  handle(sk, s, old_state, new_state);
  return 0;
}

/* Loaded only where what was dialled is asked for. They let everything pass as it is. */
SEC("cgroup/connect4")
int connect4_asked(struct bpf_sock_addr* asked) {
  on_connect4_asked(asked);
  return 1;
}

SEC("cgroup/connect6")
int connect6_asked(struct bpf_sock_addr* asked) {
  on_connect6_asked(asked);
  return 1;
}

/* The five of UDP are loaded only where it is asked for. All let everything pass. */
SEC("cgroup_skb/egress")
int datagram_sent(struct __sk_buff* skb) {
  on_datagram(skb, true);
  return 1;
}

SEC("cgroup_skb/ingress")
int datagram_received(struct __sk_buff* skb) {
  on_datagram(skb, false);
  return 1;
}

SEC("cgroup/sock_create")
int datagram_socket_made(struct bpf_sock* sk) {
  on_datagram_socket_made(sk);
  return 1;
}

/* Runs over the sockets of the reader's network namespace. */
SEC("iter/udp")
int datagram_socket_found(struct bpf_iter__udp* ctx) {
  struct udp_sock* found = ctx->udp_sk;
  if (!found) return 0;
  barrier_var(found);
  on_datagram_socket_found((struct sock*)found);
  return 0;
}

SEC("syscall")
int look_at_datagrams(void* ctx) {
  sweep_datagram_flows();
  return 0;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(cgroup_made, struct cgroup* made, const char* path) {
  ++host_changes;
  return 0;
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(cgroup_entered, struct cgroup* entered, const char* path, struct task_struct* task,
             bool threadgroup) {
  ++host_changes;
  return 0;
}

/* Runs over the sockets of the reader's network namespace. */
SEC("iter/tcp")
int socket_walked_over(struct bpf_iter__tcp* ctx) {
  struct sock_common* found = ctx->sk_common;
  struct tcp_sock* tp;
  if (!found) return 0;
  tp = bpf_skc_to_tcp_sock(found);
  if (tp) on_walked_over((struct sock*)tp, tp);
  return 0;
}

/* Reads the two clocks together, for the agent to learn what a jiffy is. */
__u64 clock_jiffies;
__u64 clock_monotonic_ns;
__u64 clock_boot_ns;

SEC("syscall")
int read_clocks(void* ctx) {
  clock_jiffies = bpf_jiffies64();
  clock_monotonic_ns = bpf_ktime_get_ns();
  clock_boot_ns = bpf_ktime_get_boot_ns();
  return 0;
}
