// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// What connect() was asked for, before another program on its way may put something else in its place.
#pragma once

#include "bpf/sockets.h"

/* Before the socket's first transition; kept for it beside what that one begins. */
static __always_inline struct socket_state* on_connect_asked(struct bpf_sock_addr* asked) {
  struct bpf_sock* sk = asked->sk;
  struct socket_state* s;
  if (!sk || asked->protocol != IPPROTO_TCP) return NULL;
  s = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!s)
    count(TENURE_SOCKETS_UNTRACKED);
  else
    s->dialled_port = bpf_ntohs((__u16)asked->user_port);
  return s;
}

static __always_inline void on_connect4_asked(struct bpf_sock_addr* asked) {
  struct socket_state* s = on_connect_asked(asked);
  if (s) map_v4(s->dialled_address, asked->user_ip4);
}

static __always_inline void on_connect6_asked(struct bpf_sock_addr* asked) {
  struct socket_state* s = on_connect_asked(asked);
  __u32 word;
  if (!s) return;
  word = asked->user_ip6[0];
  __builtin_memcpy(s->dialled_address, &word, 4);
  word = asked->user_ip6[1];
  __builtin_memcpy(s->dialled_address + 4, &word, 4);
  word = asked->user_ip6[2];
  __builtin_memcpy(s->dialled_address + 8, &word, 4);
  word = asked->user_ip6[3];
  __builtin_memcpy(s->dialled_address + 12, &word, 4);
}
