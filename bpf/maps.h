// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bpf/identity.h"
#include "bpf/socket_state.h"

/* Which tenancy an endpoint is; user space writes, the programs read. Pinned, see agent/identity_maps.hpp. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, TENURE_IDENTITY_ENTRIES);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct tenure_identity_key);
  __type(value, struct tenure_identity);
} identities SEC(".maps");

/* How many of them are of a port; 0: none has to be looked for. User space keeps it, never too small. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} port_tenancies SEC(".maps");

/* What is kept of a socket while it lives; the kernel frees it with the socket. */
struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct socket_state);
} sockets SEC(".maps");

/* The same of young sockets, in memory that is there already: making and freeing what is kept beside a socket
 * costs more than all else that is done for a short connection. A socket's place is its cookie's low bits;
 * where that is taken, its state is in `sockets`, and of one that lives on it is moved there. */
struct young_socket {
  __u64 cookie; /* of the socket, never used twice; 0: free */
  __u64 walk;   /* at which it was taken */
  struct socket_state state;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, TENURE_YOUNG_SOCKETS);
  __type(key, __u32);
  __type(value, struct young_socket);
} young SEC(".maps");

/* Ended connections, on their way to the agent. User space sets the size. */
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 22);
} events SEC(".maps");

/* How much may wait in it before the agent is woken; user space sets it with the size. */
const volatile __u64 wake_above_bytes = 1 << 20;

/* One counter for each `enum tenure_counter`, for each CPU. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, TENURE_COUNTERS);
  __type(key, __u32);
  __type(value, __u64);
} counters SEC(".maps");

/* Ports that somebody listened on when the sockets that were open already were found: it tells which end
 * opened. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 16384);
  __type(key, struct tenure_identity_key);
  __type(value, __u8);
} listening SEC(".maps");

static __always_inline void count(__u32 which) {
  __u64* value = bpf_map_lookup_elem(&counters, &which);
  if (value) ++*value;
}
