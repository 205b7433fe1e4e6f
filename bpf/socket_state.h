// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bpf/counters.h"
#include "bpf/identity.h"
#include "bpf/socket_event.h"

/* What the parts of a connection have told already. */
struct reported_counters {
  __u64 bytes_sent;
  __u64 bytes_received;
  __u32 segments_sent;
  __u32 segments_received;
  __u32 retransmits;
};

#define TENURE_YOUNG_SOCKETS 8192 /* a power of two */

/* What is kept of a socket from its first state to its last. */
struct socket_state {
  __u64 opened_ns;
  __u64 established_ns;
  __s64 boot_offset_ns;
  struct tenure_identity near; /* zero: none, or not proved */
  __u32 flags;                 /* enum tenure_socket_flags */
  __u16 near_port_bound;       /* `near` is of this port alone; 0: of the whole address */
  __u8 loopback;
  __u8 cloned;         /* it came out of a listener under our eyes */
  __u8 state;          /* the last transition that was handled led there; 0: none yet */
  __u32 part;          /* of the next report */
  __u64 connection;    /* given when the first part is reported; 0: not yet */
  __u64 part_began_ns; /* boot-time clock; only with `part` */
  struct reported_counters reported;
  /* What connect() was asked for, where connects are watched; kept when the rest begins anew. */
  __u8 dialled_address[16];
  __u16 dialled_port;
};
