// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// Tenure's kernel programs: each TCP socket's life from its first state to its last, one event at the end.
#include "vmlinux.h"
// vmlinux.h first: the others use its types
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/handlers.h"
#include "bpf/socket_event.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Called before the socket's state is written. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(socket_state_changed, struct sock* sk, int old_state, int new_state) {
  if (!is_tcp(sk)) return 0;
  switch (new_state) {
    case TCP_SYN_SENT:
      on_connecting(sk);
      break;
    case TCP_SYN_RECV:
      on_accepting(sk);
      break;
    case TCP_ESTABLISHED:
      on_established(sk, old_state);
      break;
    case TCP_CLOSE:
      if (old_state != TCP_LISTEN && old_state != TCP_CLOSE) on_closed(sk, old_state);
      break;
  }
  return 0;
}

/* Runs over the sockets of the reader's network namespace. */
SEC("iter/tcp")
int found_socket(struct bpf_iter__tcp* ctx) {
  struct sock_common* found = ctx->sk_common;
  struct tcp_sock* tp;
  if (!found) return 0;
  tp = bpf_skc_to_tcp_sock(found);
  if (tp) on_found((struct sock*)tp);
  return 0;
}

/* Reads the two clocks together, for the agent to learn what a jiffy is. */
__u64 clock_jiffies;
__u64 clock_monotonic_ns;

SEC("syscall")
int read_clocks(void* ctx) {
  clock_jiffies = bpf_jiffies64();
  clock_monotonic_ns = bpf_ktime_get_ns();
  return 0;
}
