// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bpf/counters.h"
#include "bpf/identity.h"
#include "bpf/socket_event.h"

/* What is kept of a socket from its first state to its last. */
struct socket_state {
  __u64 opened_ns;
  __u64 established_ns;
  __s64 boot_offset_ns;
  struct tenure_identity near; /* zero: none, or not proved */
  __u32 flags;                 /* enum tenure_socket_flags */
  __u16 near_port_bound;       /* `near` is of this port alone; 0: of the whole address */
  __u8 loopback;
  __u8 cloned; /* it came out of a listener under our eyes */
  __u8 state;  /* the last transition that was handled led there; 0: none yet */
};
