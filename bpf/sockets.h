// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// Reading a socket: its addresses, its namespace, its tenancy.
#pragma once

#include "bpf/maps.h"

#define AF_INET 2
#define AF_INET6 10
#define LOOPBACK_IFINDEX 1 /* in every network namespace */

static __always_inline void map_v4(__u8 out[16], __be32 a) {
  __builtin_memset(out, 0, 10);
  out[10] = 0xff;
  out[11] = 0xff;
  __builtin_memcpy(out + 12, &a, 4);
}

static __always_inline void copy_v6(__u8 out[16], const struct in6_addr* a) {
  for (int i = 0; i < 4; ++i) {
    __be32 word = a->in6_u.u6_addr32[i];
    __builtin_memcpy(out + 4 * i, &word, 4);
  }
}

static __always_inline void near_address(const struct sock* sk, __u8 out[16]) {
  if (sk->__sk_common.skc_family == AF_INET)
    map_v4(out, sk->__sk_common.skc_rcv_saddr);
  else
    copy_v6(out, &sk->__sk_common.skc_v6_rcv_saddr);
}

static __always_inline void far_address(const struct sock* sk, __u8 out[16]) {
  if (sk->__sk_common.skc_family == AF_INET)
    map_v4(out, sk->__sk_common.skc_daddr);
  else
    copy_v6(out, &sk->__sk_common.skc_v6_daddr);
}

static __always_inline __u64 netns_cookie(const struct sock* sk) {
  return sk->__sk_common.skc_net.net->net_cookie;
}

static __always_inline bool is_tcp(const struct sock* sk) {
  __u16 family = sk->__sk_common.skc_family;
  return sk->sk_protocol == IPPROTO_TCP && (family == AF_INET || family == AF_INET6);
}

/* Both ends in this namespace: the route leads to the loopback device, or the last segment came from it. */
static __always_inline bool is_loopback(struct sock* sk) {
  struct dst_entry* route = sk->sk_dst_cache;
  if (route && route->dev->ifindex == LOOPBACK_IFINDEX) return true;
  return sk->sk_rx_dst_ifindex == LOOPBACK_IFINDEX;
}

static __always_inline bool are_port_tenancies(void) {
  __u32 first = 0;
  __u64* many = bpf_map_lookup_elem(&port_tenancies, &first);
  return many && *many;
}

/* The tenancy of the near end now: of the port if there is one, else of the whole address. The value is
 * copied first and the sequence is a single word, so a concurrent change gives the old tenancy or the new
 * one; an entry that was re-used for another key meanwhile is recognised by the agent, which compares the
 * tenancy's endpoint with the flow's. */
static __always_inline struct tenure_identity find_identity(const struct sock* sk, __u16 port,
                                                            __u16* port_bound) {
  struct tenure_identity_key key = {.netns_cookie = netns_cookie(sk)};
  struct tenure_identity none = {};
  struct tenure_identity* found;

  near_address(sk, key.address);
  *port_bound = 0;
  if (port && are_port_tenancies()) {
    key.port = port;
    found = bpf_map_lookup_elem(&identities, &key);
    if (found) {
      *port_bound = port;
      return *found;
    }
    key.port = 0;
  }
  found = bpf_map_lookup_elem(&identities, &key);
  return found ? *found : none;
}
