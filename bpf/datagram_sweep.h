// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// UDP flows end when nothing has passed for a while, for nobody says it: all of them are looked at now and
// then.
#pragma once

#include "bpf/datagrams.h"
#include "bpf/reports.h"
#include "bpf/walk.h"

/* User space sets these, as it does `part_after_ns`. */
__u64 datagram_idle_ns;
/* A datagram that came was sent at most this long before, one that was sent arrives at most this long after.
 */
__u64 datagram_transit_ns;
#define CROWDED_IDLE_NS 1000000000ULL
/* A datagram that is counted while a part is told has its time lost: it is not older than this. */
#define COUNTED_MEANWHILE_NS 1000000ULL

static __always_inline __u64 backward(__u64 time, __u64 by) {
  return time > by ? time - by : 0;
}

/* The life in which the far end was there: it sent before what came, and received after what was sent. */
static __always_inline void read_life(const struct datagram_flow* f, __u64 now,
                                      struct tenure_socket_event* e) {
  __u64 first = f->first_ns ? f->first_ns : backward(f->began_ns, COUNTED_MEANWHILE_NS);
  __u64 came = f->first_received_ns;
  __u64 last = f->last_ns + datagram_transit_ns;
  if (!came && f->datagrams_received) came = first;
  if (came) came = backward(came, datagram_transit_ns);
  e->opened_ns = came && came < first ? came : first;
  e->closed_ns = last < now ? last : now;
  if (e->closed_ns < f->last_ns) e->closed_ns = f->last_ns;
}

static __always_inline bool report_datagrams(const struct datagram_key* key, const struct datagram_flow* f,
                                             __u64 now, __u32 why) {
  struct tenure_socket_event* e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
  if (!e) {
    count(TENURE_EVENTS_LOST);
    return false;
  }
  __builtin_memset(e, 0, sizeof(*e));
  e->version = TENURE_SOCKET_EVENT_VERSION;
  e->flags = f->flags | TENURE_SOCKET_UDP | TENURE_SOCKET_OPENED_KNOWN | why;
  e->cookie = f->netns_cookie;
  e->cgroup = f->cgroup;
  e->near_incarnation = f->near.incarnation;
  e->near_sequence = f->near.sequence;
  e->connection = f->connection;
  e->part = f->part;
  read_life(f, now, e);
  e->jiffies = bpf_jiffies64();
  e->bytes_sent = f->bytes_sent;
  e->bytes_received = f->bytes_received;
  e->segments_sent = f->datagrams_sent;
  e->segments_received = f->datagrams_received;
  e->min_rtt_us = ~0U;
  __builtin_memcpy(e->near_address, key->near_address, 16);
  __builtin_memcpy(e->far_address, key->far_address, 16);
  e->near_port = key->near_port;
  e->far_port = key->far_port;
  hand_over(e);
  return true;
}

/* What comes while the part is told is of the next one. */
static __always_inline void begin_next_part(struct datagram_flow* f, const struct datagram_flow* told,
                                            __u64 now) {
  ++f->part;
  f->began_ns = now;
  f->first_ns = 0;
  f->first_received_ns = 0;
  __sync_fetch_and_add(&f->bytes_sent, -told->bytes_sent);
  __sync_fetch_and_add(&f->bytes_received, -told->bytes_received);
  __sync_fetch_and_add(&f->datagrams_sent, -told->datagrams_sent);
  __sync_fetch_and_add(&f->datagrams_received, -told->datagrams_received);
}

/* 0: it goes on, and nothing is due. */
static __always_inline __u32 why_due(const struct datagram_flow* f, __u64 now) {
  if (agent_ends) return TENURE_SOCKET_CUT_OFF;
  if (f->last_ns + datagram_idle_ns <= now) return TENURE_SOCKET_IDLE;
  if (datagrams_crowd && f->last_ns + CROWDED_IDLE_NS <= now) return TENURE_SOCKET_CROWDED_OUT;
  if (part_after_ns && f->began_ns + part_after_ns <= now) return TENURE_SOCKET_STILL_OPEN;
  return 0;
}

static long look_at_flow(struct bpf_map* map, struct datagram_key* key, struct datagram_flow* f,
                         void* unused) {
  __u64 now = bpf_ktime_get_boot_ns();
  struct datagram_flow told = *f;
  __u32 why = why_due(&told, now);
  if (!why) return 0;
  if (told.datagrams_sent || told.datagrams_received) {
    if (why == TENURE_SOCKET_STILL_OPEN && !told.connection)
      f->connection = told.connection = __sync_fetch_and_add(&long_connections, 1) + 1;
    if (!report_datagrams(key, &told, now, why)) return 0;
    if (why == TENURE_SOCKET_STILL_OPEN) begin_next_part(f, &told, now);
  } else if (why == TENURE_SOCKET_STILL_OPEN) {
    f->began_ns = now; /* a time in which nothing passed gives no part */
  }
  if (why != TENURE_SOCKET_STILL_OPEN) bpf_map_delete_elem(&datagram_flows, key);
  return 0;
}

static __always_inline void sweep_datagram_flows(void) {
  bpf_for_each_map_elem(&datagram_flows, look_at_flow, NULL, 0);
  datagrams_crowd = 0;
}
