// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// What the kernel programs write to the ring for each connection that ended, and for each part of a long one.
// C and C++ share it; the fixed-width types come from vmlinux.h there and from <linux/types.h> here. Fields
// are ordered so that there is no padding.
#pragma once

#define TENURE_SOCKET_EVENT_VERSION 4

enum tenure_socket_flags {
  TENURE_SOCKET_ACTIVE = 1 << 0,       /* it opened the connection */
  TENURE_SOCKET_ESTABLISHED = 1 << 1,  /* the handshake was complete */
  TENURE_SOCKET_OPEN_BEFORE = 1 << 2,  /* it was there before the programs were */
  TENURE_SOCKET_FIN_RECEIVED = 1 << 3, /* the far end closed its direction, in order */
  TENURE_SOCKET_OPENED_KNOWN = 1 << 4, /* `opened_ns` says something */
  TENURE_SOCKET_STILL_OPEN = 1 << 5,   /* one part of a connection that goes on */
  TENURE_SOCKET_CUT_OFF = 1 << 6,      /* and of which no more will be told: the agent ends */
  TENURE_SOCKET_UDP = 1 << 7,  /* what a UDP socket exchanged with one far end; ACTIVE: it sent first */
  TENURE_SOCKET_IDLE = 1 << 8, /* of UDP: nothing passed for long */
  TENURE_SOCKET_CROWDED_OUT = 1 << 9, /* of UDP: nothing passed for a moment, and others needed the room */
};

struct tenure_socket_event {
  __u64 cookie;           /* netns_cookie of the socket's network namespace */
  __u64 cgroup;           /* id of its cgroup in the unified hierarchy */
  __u64 near_incarnation; /* the tenancy of the near end; both 0: none that is proved */
  __u64 near_sequence;
  __u64 connection;     /* shared by the parts of one; 0: this is the only one */
  __u64 opened_ns;      /* boot-time clock, as are the next two; not after the first SYN or SYN-ACK that was
                           answered */
  __u64 established_ns; /* with OPEN_BEFORE: when it was first seen */
  __u64 closed_ns; /* or: when this part ended. Of UDP, `opened_ns` to `closed_ns` is the time from the first
                      to the last datagram of the part, widened by how long each may have been under way */
  __s64 boot_offset_ns;   /* boot-time minus monotonic clock when it was established: smaller than now after a
                             suspend */
  __u64 jiffies;          /* now, 64 bits */
  __u64 bytes_sent;       /* payload, each byte once; since the last part, as are the other counts */
  __u64 bytes_received;   /* payload, each byte once */
  __u32 last_ack_jiffies; /* low 32 bits of jiffies when TCP last accepted an acknowledgement */
  __u32 last_data_jiffies; /* the same of data */
  __u32 segments_sent;
  __u32 segments_received;
  __u32 retransmits;
  __u32 srtt_us;
  __u32 min_rtt_us; /* all ones: no sample */
  __u32 near_initial_sequence;
  __u32 far_initial_sequence; /* 0 unless established */
  __u32 flags;
  __u32 part;         /* from 0 */
  __u16 dialled_port; /* 0: what was reached is not known to be something else than what was dialled */
  __u16 zero;
  __u8 near_address[16]; /* network order, IPv4 as ::ffff:a.b.c.d */
  __u8 far_address[16];
  __u8 dialled_address[16];
  __u16 near_port; /* host order, as the next */
  __u16 far_port;
  __u16 error; /* errno that ended it; 0: none */
  __u16 version;
};
