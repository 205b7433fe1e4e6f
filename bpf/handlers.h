// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// One handler for each transition of a socket that matters.
#pragma once

#include "bpf/kept.h"
#include "bpf/reports.h"

/* What is kept of the socket; made at its first transition, but not for its last. */
static __always_inline struct socket_state* follow(struct sock* sk, int new_state) {
  struct socket_state* s = find_kept(sk);
  if (s || new_state == TCP_CLOSE) return s;
  if (new_state != TCP_ESTABLISHED) {
    s = take_young_place(sk);
    if (!s) count(TENURE_CROWDED_OUT);
  }
  if (!s) s = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!s) count(TENURE_SOCKETS_UNTRACKED);
  return s;
}

/* connect(): before the first SYN. A socket may connect again after a failure, so everything is written anew.
 * The route is chosen and the near address with it; the port only if the application bound it. */
static __always_inline void on_connecting(struct sock* sk, struct socket_state* s) {
  if (!s) return;
  __builtin_memset(s, 0, __builtin_offsetof(struct socket_state, dialled_address));
  s->flags = TENURE_SOCKET_ACTIVE | TENURE_SOCKET_OPENED_KNOWN;
  s->opened_ns = bpf_ktime_get_boot_ns();
  s->near = find_identity(sk, sk->__sk_common.skc_num, &s->near_port_bound);
}

/* A listener's child: the last ACK of the handshake is being processed, its round trip is measured right
 * after this. `opened` is completed in on_established. */
static __always_inline void on_accepting(struct socket_state* s) {
  if (!s) return;
  __builtin_memset(s, 0, sizeof(*s));
  s->cloned = 1;
  s->opened_ns = bpf_ktime_get_boot_ns();
}

/* Passive end: when was the SYN-ACK sent that was answered? At this point srtt holds its one sample, eight
 * times. It is the distance from the SYN-ACK to a moment not before on_accepting, so stamp - sample is never
 * too late. A retransmitted SYN-ACK makes the sample ambiguous (and the kernel may compute it from a stale
 * clock): then it stays unknown. A SYN cookie's sample comes from its timestamp, in milliseconds, rounded
 * either way: one more is taken off. */
static __always_inline void complete_opened(struct sock* sk, struct socket_state* s) {
  struct tcp_sock* tp = s->cloned ? bpf_skc_to_tcp_sock(sk) : NULL;
  __u64 sample_ns;
  if (!tp) return;
  sample_ns = (__u64)(tp->srtt_us >> 3) * 1000;
  if (!sample_ns || tp->total_retrans) return;
  s->opened_ns -= sample_ns + 1000000;
  s->flags |= TENURE_SOCKET_OPENED_KNOWN;
}

static __always_inline void on_established(struct sock* sk, struct socket_state* s, int old_state) {
  struct tenure_identity near;
  __u16 port_bound;

  if (!s) return;
  s->established_ns = bpf_ktime_get_boot_ns();
  s->boot_offset_ns = s->established_ns - bpf_ktime_get_ns();
  s->loopback = is_loopback(sk);
  near = find_identity(sk, sk->__sk_common.skc_num, &port_bound);
  if (s->flags & TENURE_SOCKET_ACTIVE) {
    /* Only what held the address at both moments held it in between (a tenancy has no holes). A port tenancy
     * may be found only now: the kernel had not chosen the port before. */
    bool same = near.incarnation == s->near.incarnation && near.sequence == s->near.sequence;
    if (!same && !(port_bound && !s->near.sequence)) __builtin_memset(&near, 0, sizeof(near));
  } else if (old_state == TCP_SYN_SENT) {
    /* It connected before the programs were there. */
    s->flags |= TENURE_SOCKET_ACTIVE | TENURE_SOCKET_OPEN_BEFORE;
    __builtin_memset(&near, 0, sizeof(near));
  } else {
    complete_opened(sk, s);
  }
  if (s->flags & TENURE_SOCKET_OPEN_BEFORE) __builtin_memset(&near, 0, sizeof(near));
  s->near = near;
  s->near_port_bound = port_bound;
  s->flags |= TENURE_SOCKET_ESTABLISHED;
}

/* A failed connect has no second moment but its end: only what held the address at both held it. */
static __always_inline void prove_failed_connect(struct sock* sk, struct tcp_sock* tp,
                                                 struct socket_state* s) {
  __u16 port_bound;
  struct tenure_identity near = find_identity(sk, near_port_at_close(tp), &port_bound);
  if (near.incarnation != s->near.incarnation || near.sequence != s->near.sequence)
    __builtin_memset(&s->near, 0, sizeof(s->near));
}

static __always_inline void report_closed(struct sock* sk, struct tcp_sock* tp, struct socket_state* s) {
  if (s->flags & TENURE_SOCKET_CUT_OFF) return; /* the agent is ending, and has said so */
  if (!(s->flags & TENURE_SOCKET_ESTABLISHED)) {
    if (!(s->flags & TENURE_SOCKET_ACTIVE)) return; /* a child that never came to be */
    if (!tp->segs_out) return;                      /* refused by this host itself: nothing was on the wire */
    prove_failed_connect(sk, tp, s);
  }
  if (s->loopback || is_loopback(sk)) {
    count(TENURE_LOOPBACK_LEFT_OUT);
    return;
  }
  report(sk, tp, s, 0);
}

/* The kernel frees what is kept of a socket with the socket; deleting it here would cost more than all else
 * together. */
static __always_inline void on_closed(struct sock* sk, struct socket_state* s, int old_state) {
  struct tcp_sock* tp = bpf_skc_to_tcp_sock(sk);
  struct socket_state unknown = {};

  if (!tp) return;
  if (s && s->state) {
    report_closed(sk, tp, s);
    return;
  }
  /* Never seen, and still here: it was open in a namespace that was not looked into, or there was no memory.
   */
  unknown.flags = TENURE_SOCKET_OPEN_BEFORE |
                  (old_state == TCP_SYN_SENT ? TENURE_SOCKET_ACTIVE : TENURE_SOCKET_ESTABLISHED);
  unknown.established_ns = bpf_ktime_get_boot_ns();
  unknown.boot_offset_ns = unknown.established_ns - bpf_ktime_get_ns();
  report_closed(sk, tp, &unknown);
}
