// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// What is kept of a socket, in the one place or the other.
#pragma once

#include "bpf/sockets.h"

/* Counts the walks over all sockets, which user space begins. */
__u64 walks;

/* A socket that has been seen by so many walks moves, a place that has not been given back after so many is
 * free: its socket would have moved, so its end was not seen. (One in a namespace that has no path is never
 * walked over: it may lose what was known of it, and is told as one that was open before.) */
#define WALKS_UNTIL_GROWN 2
#define WALKS_UNTIL_FORGOTTEN 8

static __always_inline struct young_socket* young_place(__u64 cookie) {
  __u32 place = cookie & (TENURE_YOUNG_SOCKETS - 1);
  return bpf_map_lookup_elem(&young, &place);
}

static __always_inline struct young_socket* find_young(const struct sock* sk) {
  __u64 cookie = sk->__sk_common.skc_cookie.counter; /* 0 until somebody asks for it */
  struct young_socket* y = cookie ? young_place(cookie) : NULL;
  return y && y->cookie == cookie ? y : NULL;
}

/* NULL: nothing is kept. */
static __always_inline struct socket_state* find_kept(struct sock* sk) {
  struct young_socket* y = find_young(sk);
  return y ? &y->state : bpf_sk_storage_get(&sockets, sk, 0, 0);
}

/* For a socket of which nothing is kept; NULL: its place is taken. That of a closed socket is free, and stays
 * the socket's until somebody takes it: so the stand-in finds that all is done. */
static __always_inline struct socket_state* take_young_place(struct sock* sk) {
  __u64 cookie = bpf_get_socket_cookie(sk);
  struct young_socket* y = young_place(cookie);
  __u64 before;
  if (!y) return NULL;
  before = y->cookie;
  if (before && y->state.state != TCP_CLOSE && walks - y->walk < WALKS_UNTIL_FORGOTTEN) return NULL;
  if (__sync_val_compare_and_swap(&y->cookie, before, cookie) != before) return NULL;
  y->walk = walks;
  __builtin_memset(&y->state, 0, sizeof(y->state));
  return &y->state;
}

/* One that lives on makes room for the next. @returns where its state is now. */
static __always_inline struct socket_state* let_grow_old(struct sock* sk, struct socket_state* s) {
  struct young_socket* y = find_young(sk);
  struct socket_state* moved;
  if (!y || walks - y->walk < WALKS_UNTIL_GROWN) return s;
  moved = bpf_sk_storage_get(&sockets, sk, &y->state, BPF_SK_STORAGE_GET_F_CREATE);
  if (!moved) return s;
  y->cookie = 0;
  return moved;
}
