// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// The identity map's key and value: which tenancy an endpoint of a network namespace is. C and C++ share it.
#pragma once

/* Bump with any change of the two structs: a pinned map of another layout is replaced. */
#define TENURE_IDENTITY_ENTRIES 65536

struct tenure_identity_key {
  __u64 netns_cookie;
  __u8 address[16]; /* network order, IPv4 as ::ffff:a.b.c.d */
  __u16 port;       /* host order; 0: the whole address */
  __u16 zero[3];    /* keys are compared byte by byte */
};

struct tenure_identity {
  __u64 incarnation;
  __u64 sequence;
};
