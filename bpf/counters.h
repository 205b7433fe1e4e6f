// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

/* What the programs count; C and C++ share it. */
enum tenure_counter {
  TENURE_EVENTS,            /* written to the ring */
  TENURE_EVENTS_LOST,       /* the ring was full */
  TENURE_SOCKETS_UNTRACKED, /* no memory to follow a socket: its record says less, or nothing */
  TENURE_LOOPBACK_LEFT_OUT, /* both ends in one network namespace */
  TENURE_FOUND_OPEN,        /* sockets that were there before */
  TENURE_STOOD_IN,    /* transitions at which the kernel left the first program out, and the second came in */
  TENURE_CROWDED_OUT, /* young sockets whose place was taken: they cost more */
  TENURE_DATAGRAMS_LEFT_OUT,  /* both ends in one network namespace */
  TENURE_DATAGRAMS_UNTRACKED, /* no room for their flow, or they could not be read */
  TENURE_COUNTERS,
};
