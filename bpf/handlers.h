// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// One handler for each transition of a socket that matters, and one for sockets that were open already.
#pragma once

#include "bpf/socket_event.h"
#include "bpf/sockets.h"

/* What is kept of the socket; made at its first transition, but not for its last. */
static __always_inline struct socket_state* follow(struct sock* sk, int new_state) {
  struct socket_state* s =
      bpf_sk_storage_get(&sockets, sk, 0, new_state == TCP_CLOSE ? 0 : BPF_SK_STORAGE_GET_F_CREATE);
  if (!s && new_state != TCP_CLOSE) count(TENURE_SOCKETS_UNTRACKED);
  return s;
}

/* connect(): before the first SYN. A socket may connect again after a failure, so everything is written anew.
 * The route is chosen and the near address with it; the port only if the application bound it. */
static __always_inline void on_connecting(struct sock* sk, struct socket_state* s) {
  if (!s) return;
  __builtin_memset(s, 0, sizeof(*s));
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

/* snd_una - bytes_acked and rcv_nxt - bytes_received stay what they were at the start; the opening side has
 * counted its own SYN among the acknowledged bytes, the other side and both receivers have not. */
static __always_inline void read_sequences(struct tcp_sock* tp, struct tenure_socket_event* e) {
  __u32 sent = tp->snd_una - (__u32)tp->bytes_acked;
  e->near_initial_sequence = e->flags & TENURE_SOCKET_ACTIVE ? sent : sent - 1;
  e->far_initial_sequence =
      e->flags & TENURE_SOCKET_ESTABLISHED ? tp->rcv_nxt - (__u32)tp->bytes_received - 1 : 0;
}

static __always_inline void read_counters(struct sock* sk, struct tcp_sock* tp,
                                          struct tenure_socket_event* e) {
  bool fin_received = sk->__sk_common.skc_flags & (1UL << SOCK_DONE);
  if (fin_received) e->flags |= TENURE_SOCKET_FIN_RECEIVED;
  e->bytes_sent = tp->bytes_sent - tp->bytes_retrans;
  e->bytes_received = tp->bytes_received;
  if (fin_received && e->bytes_received) --e->bytes_received; /* the FIN is counted like a byte */
  e->segments_sent = tp->segs_out;
  e->segments_received = tp->segs_in;
  e->retransmits = tp->total_retrans;
  e->srtt_us = tp->srtt_us >> 3;
  e->min_rtt_us = tp->rtt_min.s[0].v;
  e->last_ack_jiffies = tp->rcv_tstamp;
  e->last_data_jiffies = tp->inet_conn.icsk_ack.lrcvtime;
  e->error = sk->sk_err;
  e->jiffies = bpf_jiffies64();
}

/* The port hash has let go of skc_num by the time of TCP_CLOSE; the header's field stays. */
static __always_inline __u16 near_port_at_close(const struct tcp_sock* tp) {
  return bpf_ntohs(tp->inet_conn.icsk_inet.inet_sport);
}

static __always_inline void read_ends(struct sock* sk, struct tcp_sock* tp, struct tenure_socket_event* e) {
  e->cookie = netns_cookie(sk);
  e->cgroup = sk->sk_cgrp_data.cgroup->kn->id;
  near_address(sk, e->near_address);
  far_address(sk, e->far_address);
  e->near_port = near_port_at_close(tp);
  e->far_port = bpf_ntohs(sk->__sk_common.skc_dport);
}

/* Waking the agent for each event would cost more than the event: it looks on its own, and is woken when much
 * is waiting. */
static __always_inline void hand_over(struct tenure_socket_event* e) {
  bool filling = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > wake_above_bytes;
  bpf_ringbuf_submit(e, filling ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
  count(TENURE_EVENTS);
}

static __always_inline void on_closed(struct sock* sk, struct socket_state* s, int old_state) {
  struct tcp_sock* tp = bpf_skc_to_tcp_sock(sk);
  struct socket_state known = {};
  struct tenure_socket_event* e;
  struct tenure_identity near;
  __u16 port_bound;

  if (!tp) return;
  if (s && s->state) {
    /* The kernel frees it with the socket; deleting it here would cost more than all else together. */
    known = *s;
  } else {
    /* Never seen, and still here: it was open in a namespace that was not looked into, or there was no
     * memory. */
    known.flags = TENURE_SOCKET_OPEN_BEFORE |
                  (old_state == TCP_SYN_SENT ? TENURE_SOCKET_ACTIVE : TENURE_SOCKET_ESTABLISHED);
    known.established_ns = bpf_ktime_get_boot_ns();
    known.boot_offset_ns = known.established_ns - bpf_ktime_get_ns();
  }
  if (!(known.flags & TENURE_SOCKET_ESTABLISHED)) {
    if (!(known.flags & TENURE_SOCKET_ACTIVE)) return; /* a child that never came to be */
    if (!tp->segs_out) return; /* refused by this host itself: nothing was on the wire */
    /* A failed connect has no second moment but this one. */
    near = find_identity(sk, near_port_at_close(tp), &port_bound);
    if (near.incarnation != known.near.incarnation || near.sequence != known.near.sequence)
      __builtin_memset(&known.near, 0, sizeof(known.near));
  }
  if (known.loopback || is_loopback(sk)) {
    count(TENURE_LOOPBACK_LEFT_OUT);
    return;
  }
  e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
  if (!e) {
    count(TENURE_EVENTS_LOST);
    return;
  }
  e->version = TENURE_SOCKET_EVENT_VERSION;
  e->flags = known.flags;
  e->opened_ns = known.opened_ns;
  e->established_ns = known.established_ns;
  e->boot_offset_ns = known.boot_offset_ns;
  e->near_incarnation = known.near.incarnation;
  e->near_sequence = known.near.sequence;
  e->closed_ns = bpf_ktime_get_boot_ns();
  read_ends(sk, tp, e);
  read_sequences(tp, e);
  read_counters(sk, tp, e);
  hand_over(e);
}

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
  if (bpf_sk_storage_get(&sockets, sk, 0, 0)) return;
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
