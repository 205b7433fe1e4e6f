// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// What is told of a socket: an event for the ring.
#pragma once

#include "bpf/socket_event.h"
#include "bpf/sockets.h"

/* snd_una - bytes_acked and rcv_nxt - bytes_received stay what they were at the start; the opening side has
 * counted its own SYN among the acknowledged bytes, the other side and both receivers have not. */
static __always_inline void read_sequences(struct tcp_sock* tp, struct tenure_socket_event* e) {
  __u32 sent = tp->snd_una - (__u32)tp->bytes_acked;
  e->near_initial_sequence = e->flags & TENURE_SOCKET_ACTIVE ? sent : sent - 1;
  e->far_initial_sequence =
      e->flags & TENURE_SOCKET_ESTABLISHED ? tp->rcv_nxt - (__u32)tp->bytes_received - 1 : 0;
}

/* connect() may have been asked for something else: a program on its way put the real server in its place. */
static __always_inline void read_dialled(const struct socket_state* known, struct tenure_socket_event* e) {
  __u64 dialled[2];
  __u64 reached[2];
  __builtin_memcpy(dialled, known->dialled_address, 16);
  __builtin_memcpy(reached, e->far_address, 16);
  e->dialled_port = 0;
  __builtin_memset(e->dialled_address, 0, 16);
  if (!known->dialled_port || !(known->flags & TENURE_SOCKET_ACTIVE)) return;
  if (dialled[0] == reached[0] && dialled[1] == reached[1] && known->dialled_port == e->far_port) return;
  e->dialled_port = known->dialled_port;
  __builtin_memcpy(e->dialled_address, dialled, 16);
}

/* How far the parts that were reported already have counted: a part says what came after them. */
static __always_inline void take_off(struct tenure_socket_event* e, const struct reported_counters* before) {
  e->bytes_sent -= before->bytes_sent;
  e->bytes_received -= before->bytes_received;
  e->segments_sent -= before->segments_sent;
  e->segments_received -= before->segments_received;
  e->retransmits -= before->retransmits;
}

/* The FIN is counted like a byte. */
static __always_inline bool fin_received(const struct sock* sk) {
  return sk->__sk_common.skc_flags & (1UL << SOCK_DONE);
}

static __always_inline __u64 payload_received(const struct sock* sk, const struct tcp_sock* tp) {
  __u64 all = tp->bytes_received;
  return all && fin_received(sk) ? all - 1 : all;
}

static __always_inline void read_counters(struct sock* sk, struct tcp_sock* tp,
                                          struct tenure_socket_event* e) {
  if (fin_received(sk)) e->flags |= TENURE_SOCKET_FIN_RECEIVED;
  e->bytes_sent = tp->bytes_sent - tp->bytes_retrans;
  e->bytes_received = payload_received(sk, tp);
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

/* @returns whether there was room for it. */
static __always_inline bool report(struct sock* sk, struct tcp_sock* tp, const struct socket_state* known,
                                   __u32 more_flags) {
  struct tenure_socket_event* e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
  if (!e) {
    count(TENURE_EVENTS_LOST);
    return false;
  }
  e->version = TENURE_SOCKET_EVENT_VERSION;
  e->flags = known->flags | more_flags;
  e->opened_ns = known->opened_ns;
  e->established_ns = known->established_ns;
  e->boot_offset_ns = known->boot_offset_ns;
  e->near_incarnation = known->near.incarnation;
  e->near_sequence = known->near.sequence;
  e->connection = known->connection;
  e->part = known->part;
  e->zero = 0;
  e->closed_ns = bpf_ktime_get_boot_ns();
  read_ends(sk, tp, e);
  read_dialled(known, e);
  read_sequences(tp, e);
  read_counters(sk, tp, e);
  if (known->part) take_off(e, &known->reported);
  hand_over(e);
  return true;
}
