// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// What is kept of UDP: of each socket, and of what it exchanges with each far end.
#pragma once

#include "bpf/identity.h"

struct datagram_key {
  __u64 socket;          /* its cookie, never used twice */
  __u8 near_address[16]; /* as the datagram says it, for a socket may be bound to all */
  __u8 far_address[16];
  __u16 near_port; /* host order, as the next */
  __u16 far_port;
  __u32 zero;
};

struct datagram_flow {
  __u64 netns_cookie;
  __u64 cgroup;
  struct tenure_identity near; /* at the first datagram */
  __u64 began_ns;          /* boot-time clock, as are the next three: of the flow, or of its latest part */
  __u64 first_ns;          /* datagram of this part, either way; 0: none yet */
  __u64 first_received_ns; /* likewise */
  __u64 last_ns;
  __u64 bytes_sent; /* payload; since the last part, as are the other counts */
  __u64 bytes_received;
  __u64 connection; /* given when the first part is reported; 0: not yet */
  __u32 datagrams_sent;
  __u32 datagrams_received;
  __u32 part;
  __u32 flags; /* enum tenure_socket_flags */
};

/* A program of a cgroup is not told the socket's namespace; it is noted when the socket is made. */
struct datagram_socket {
  __u64 netns_cookie;
  __u64 flags;
};

struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct datagram_socket);
} datagram_sockets SEC(".maps");

/* User space sets the size. An entry that is taken away may be another's before a program that found it lets
 * go of it: that one's datagram is then counted there, which makes a life longer, never shorter. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct datagram_key);
  __type(value, struct datagram_flow);
} datagram_flows SEC(".maps");
