// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// What is done with each socket when all of them are walked over: those that were there before the programs
// are found, those that have been open for long are reported in parts.
#pragma once

#include "bpf/kept.h"
#include "bpf/reports.h"

/* A part is due when so much time has passed since the last one, or since the connection was made; 0: never.
 * User space sets it. */
__u64 part_after_ns;
/* The agent ends: every open connection is due, and said to be cut off. */
__u8 agent_ends;
/* Counts connections that have more than one part, from 1. */
__u64 long_connections;

/* A socket that may have been there before the programs. Its past is unknown: no tenancy, no `opened`, and
 * `established` is now. Listeners come first in the iteration, and tell who opened the others. */
static __always_inline void on_found(struct sock* sk) {
  struct tenure_identity_key port = {};
  struct socket_state fresh = {};
  int state = sk->__sk_common.skc_state;
  __u8 one = 1;

  port.netns_cookie = netns_cookie(sk);
  port.port = sk->__sk_common.skc_num;
  if (state == TCP_LISTEN) {
    bpf_map_update_elem(&listening, &port, &one, BPF_ANY);
    return;
  }
  if (state == TCP_CLOSE || state == TCP_SYN_SENT || state == TCP_SYN_RECV) return;
  fresh.flags = TENURE_SOCKET_OPEN_BEFORE | TENURE_SOCKET_ESTABLISHED;
  if (!bpf_map_lookup_elem(&listening, &port)) fresh.flags |= TENURE_SOCKET_ACTIVE;
  fresh.established_ns = bpf_ktime_get_boot_ns();
  fresh.boot_offset_ns = fresh.established_ns - bpf_ktime_get_ns();
  fresh.loopback = is_loopback(sk);
  fresh.state = TCP_ESTABLISHED;
  if (bpf_sk_storage_get(&sockets, sk, &fresh, BPF_SK_STORAGE_GET_F_CREATE))
    count(TENURE_FOUND_OPEN);
  else
    count(TENURE_SOCKETS_UNTRACKED);
}

/* Remembers what the parts so far have told, so that the next one tells only what is new. */
static __always_inline void next_part(const struct sock* sk, const struct tcp_sock* tp,
                                      struct socket_state* s, __u64 now) {
  s->part_began_ns = now;
  ++s->part;
  s->reported.bytes_sent = tp->bytes_sent - tp->bytes_retrans;
  s->reported.bytes_received = payload_received(sk, tp);
  s->reported.segments_sent = tp->segs_out;
  s->reported.segments_received = tp->segs_in;
  s->reported.retransmits = tp->total_retrans;
}

/* The iterator holds the socket's lock, so no transition comes in between. */
static __always_inline void on_still_open(struct sock* sk, struct tcp_sock* tp, struct socket_state* s) {
  __u64 now = bpf_ktime_get_boot_ns();
  __u64 began = s->part ? s->part_began_ns : s->established_ns;
  __u32 flags = TENURE_SOCKET_STILL_OPEN;
  bool silent =
      s->part && tp->segs_out == s->reported.segments_sent && tp->segs_in == s->reported.segments_received;

  if (!(s->flags & TENURE_SOCKET_ESTABLISHED) || s->state == TCP_CLOSE || s->loopback) return;
  if (s->flags & TENURE_SOCKET_CUT_OFF) return;
  if (agent_ends)
    flags |= TENURE_SOCKET_CUT_OFF;
  else if (!part_after_ns || now < began + part_after_ns)
    return;
  if (silent && !agent_ends) {
    s->part_began_ns = now;
    return;
  }
  if (!s->connection) s->connection = __sync_fetch_and_add(&long_connections, 1) + 1;
  if (!report(sk, tp, s, flags)) return;
  next_part(sk, tp, s, now);
  s->flags |= flags & TENURE_SOCKET_CUT_OFF;
}

static __always_inline void on_walked_over(struct sock* sk, struct tcp_sock* tp) {
  struct socket_state* s = sk->__sk_common.skc_state == TCP_LISTEN ? NULL : find_kept(sk);
  if (s && s->state != TCP_CLOSE) s = let_grow_old(sk, s);
  if (s)
    on_still_open(sk, tp, s);
  else if (!agent_ends)
    on_found(sk);
}
