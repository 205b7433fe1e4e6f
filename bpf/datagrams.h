// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// One UDP datagram, sent or received by a socket of this host.
#pragma once

#include "bpf/datagram_flow.h"
#include "bpf/sockets.h"

#define ETHERTYPE_V4 0x0800
#define ETHERTYPE_V6 0x86dd
#define V4_HEADER_BYTES 20
#define V6_HEADER_BYTES 40
#define UDP_HEADER_BYTES 8
#define E2BIG 7
#define V4_FRAGMENT_OFFSET 0x1fff

/* Set when the map had no room for a new flow: those that have been silent for a moment go at the next look.
 */
__u8 datagrams_crowd;

struct udp_ports {
  __be16 source;
  __be16 destination;
};

static __always_inline void place_ends(struct datagram_key* key, const __u8 from[16], const __u8 to[16],
                                       const struct udp_ports* ports, bool sent) {
  __builtin_memcpy(key->near_address, sent ? from : to, 16);
  __builtin_memcpy(key->far_address, sent ? to : from, 16);
  key->near_port = bpf_ntohs(sent ? ports->source : ports->destination);
  key->far_port = bpf_ntohs(sent ? ports->destination : ports->source);
}

/* @returns where the UDP header begins; negative: this is none that can be read. */
static __always_inline int read_v4(struct __sk_buff* skb, __u8 from[16], __u8 to[16]) {
  __u8 header[V4_HEADER_BYTES];
  __be16 fragment;
  __be32 a;
  if (bpf_skb_load_bytes(skb, 0, header, sizeof(header)) < 0 || header[9] != IPPROTO_UDP) return -1;
  __builtin_memcpy(&fragment, header + 6, sizeof(fragment));
  if (fragment & bpf_htons(V4_FRAGMENT_OFFSET)) return -1;
  __builtin_memcpy(&a, header + 12, sizeof(a));
  map_v4(from, a);
  __builtin_memcpy(&a, header + 16, sizeof(a));
  map_v4(to, a);
  return (header[0] & 0xf) * 4;
}

static __always_inline int read_v6(struct __sk_buff* skb, __u8 from[16], __u8 to[16]) {
  __u8 header[V6_HEADER_BYTES];
  if (bpf_skb_load_bytes(skb, 0, header, sizeof(header)) < 0 || header[6] != IPPROTO_UDP) return -1;
  __builtin_memcpy(from, header + 8, 16);
  __builtin_memcpy(to, header + 24, 16);
  return V6_HEADER_BYTES;
}

/* @returns how many bytes the datagram carries; negative: it cannot be read. */
static __always_inline int read_datagram(struct __sk_buff* skb, struct datagram_key* key, bool sent) {
  __u8 from[16];
  __u8 to[16];
  struct udp_ports ports;
  int at = -1;
  if (skb->protocol == bpf_htons(ETHERTYPE_V4))
    at = read_v4(skb, from, to);
  else if (skb->protocol == bpf_htons(ETHERTYPE_V6))
    at = read_v6(skb, from, to);
  if (at < 0 || bpf_skb_load_bytes(skb, at, &ports, sizeof(ports)) < 0) return -1;
  place_ends(key, from, to, &ports, sent);
  return (int)skb->len - at - UDP_HEADER_BYTES;
}

/* Only a tenancy of the whole address says whose a UDP socket is: those of ports are about TCP. */
static __always_inline struct tenure_identity find_whole(__u64 netns, const __u8 address[16]) {
  struct tenure_identity_key key = {.netns_cookie = netns};
  struct tenure_identity none = {};
  struct tenure_identity* found;
  __builtin_memcpy(key.address, address, 16);
  found = bpf_map_lookup_elem(&identities, &key);
  return found ? *found : none;
}

static __always_inline struct datagram_flow* begin_flow(struct __sk_buff* skb, struct bpf_sock* sk,
                                                        const struct datagram_key* key, bool sent,
                                                        __u64 now) {
  struct datagram_flow fresh = {};
  const struct datagram_socket* made = bpf_sk_storage_get(&datagram_sockets, sk, 0, 0);
  if (!made) return NULL;
  fresh.netns_cookie = made->netns_cookie;
  fresh.cgroup = bpf_skb_cgroup_id(skb);
  fresh.flags = (__u32)made->flags | (sent ? TENURE_SOCKET_ACTIVE : 0);
  fresh.began_ns = now;
  if (!(fresh.flags & TENURE_SOCKET_OPEN_BEFORE))
    fresh.near = find_whole(fresh.netns_cookie, key->near_address);
  if (bpf_map_update_elem(&datagram_flows, key, &fresh, BPF_NOEXIST) == -E2BIG) datagrams_crowd = 1;
  return bpf_map_lookup_elem(&datagram_flows, key);
}

static __always_inline void add_datagram(struct datagram_flow* f, __u64 bytes, __u32 many, bool sent,
                                         __u64 now) {
  if (!f->first_ns) f->first_ns = now;
  f->last_ns = now;
  if (sent) {
    __sync_fetch_and_add(&f->bytes_sent, bytes);
    __sync_fetch_and_add(&f->datagrams_sent, many);
    return;
  }
  if (!f->first_received_ns) f->first_received_ns = now;
  __sync_fetch_and_add(&f->bytes_received, bytes);
  __sync_fetch_and_add(&f->datagrams_received, many);
}

static __always_inline void on_datagram(struct __sk_buff* skb, bool sent) {
  struct bpf_sock* sk = skb->sk;
  struct datagram_key key = {};
  struct datagram_flow* f;
  __u64 now;
  int bytes;
  if (sk) sk = bpf_sk_fullsock(sk);
  if (!sk || sk->protocol != IPPROTO_UDP) return;
  if (skb->ifindex == LOOPBACK_IFINDEX) {
    count(TENURE_DATAGRAMS_LEFT_OUT);
    return;
  }
  now = bpf_ktime_get_boot_ns();
  bytes = read_datagram(skb, &key, sent);
  key.socket = bpf_get_socket_cookie(skb);
  f = bytes < 0 ? NULL : bpf_map_lookup_elem(&datagram_flows, &key);
  if (!f && bytes >= 0) f = begin_flow(skb, sk, &key, sent, now);
  if (!f)
    count(TENURE_DATAGRAMS_UNTRACKED);
  else
    add_datagram(f, (__u64)bytes, skb->gso_segs ? skb->gso_segs : 1, sent, now);
}

/* A socket that may have been there before the programs: nobody knows whose it was. */
static __always_inline void on_datagram_socket_found(struct sock* sk) {
  struct datagram_socket found = {.flags = TENURE_SOCKET_OPEN_BEFORE};
  if (sk->sk_protocol != IPPROTO_UDP) return;
  found.netns_cookie = netns_cookie(sk);
  bpf_sk_storage_get(&datagram_sockets, sk, &found, BPF_SK_STORAGE_GET_F_CREATE);
}

static __always_inline void on_datagram_socket_made(struct bpf_sock* sk) {
  struct datagram_socket made = {};
  if (sk->protocol != IPPROTO_UDP) return;
  made.netns_cookie = bpf_get_netns_cookie(sk);
  if (!bpf_sk_storage_get(&datagram_sockets, sk, &made, BPF_SK_STORAGE_GET_F_CREATE))
    count(TENURE_SOCKETS_UNTRACKED);
}
