@0xb7c1f0a4d2e95a31;
# What agents and nodes say to each other.
#
# A connection carries frames: four bytes of length (little endian, of what follows), then one Cap'n Proto message
# in the standard stream framing, whose root is Message. A frame is at most 4 MiB; a longer one, a truncated one, or
# one that is not a valid Message closes the connection.
#
# Order. The agent opens with `hello`, the node answers `welcome` or `goodbye`; nothing else may come before. Then, at
# any time, the node sends `ping` and the agent answers each with one `pong` at once, in order; the agent sends
# `batch`es with increasing numbers; the node sends `acknowledgement`s, in any order. Either side may say `goodbye`
# and close.
#
# Time. Every stamp is a reading of the agent's boot-time clock (CLOCK_BOOTTIME), in nanoseconds. The node learns
# what they mean in its own time by bracketing: `ping` sent at q, `pong` received at r, so the reading in it lies in
# [q, r] of the node's clock.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("tenure::schema");

struct Message {
  union {
    hello @0 :Hello;
    welcome @1 :Welcome;
    ping @2 :Ping;
    pong @3 :Pong;
    batch @4 :Batch;
    acknowledgement @5 :Acknowledgement;
    goodbye @6 :Goodbye;
  }
}

struct Hello {
  version @0 :UInt32;       # of this protocol; a node refuses one that it does not speak
  incarnation @1 :UInt64;   # drawn at random by each start of the agent, not 0
  agent @2 :Text;           # the name in records and logs, at most 256 bytes
}

struct Welcome {
  version @0 :UInt32;
  node @1 :Text;
}

struct Ping {
  id @0 :UInt64;
}

struct Pong {
  id @0 :UInt64;
  reading @1 :Int64;        # the agent's boot-time clock, read after the ping came and before this was sent
}

struct Goodbye {
  reason @0 :Text;
}

struct Acknowledgement {
  batch @0 :UInt64;         # every flow of this batch is durable at a sink; the agent may forget it
}

struct Batch {
  number @0 :UInt64;        # counts from 1 within the incarnation; a batch that is sent again keeps its number
  workloads @1 :List(Workload);
  tenancies @2 :List(Tenancy);
  evidence @3 :List(Evidence);
  flows @4 :List(Flow);
}

struct Workload {
  name @0 :Text;            # at most 256 bytes, not empty
  labels @1 :List(Label);
}

struct Label {
  key @0 :Text;
  value @1 :Text;
}

struct Address {
  # The 16 bytes of an IPv6 address in network order, as two numbers; IPv4 is IPv4-mapped (::ffff:a.b.c.d).
  high @0 :UInt64;
  low @1 :UInt64;
}

struct Tenancy {
  sequence @0 :UInt64;      # with the agent's incarnation it is the tenancy's id; never used again for another
  workload @1 :UInt32;      # index into Batch.workloads
  port @2 :UInt16;          # 0: the whole address, exclusively
  address @3 :Address;
}

struct Evidence {
  # This tenancy held its endpoint throughout [from, until), verified up to `until`.
  tenancy @0 :UInt32;       # index into Batch.tenancies
  from @1 :Int64;
  until @2 :Int64;
  fromError @3 :Int64;      # what the agent's own reading may be off, not negative
  untilError @4 :Int64;
}

struct Flow {
  # Its index in the list is part of the record's id.
  connection @0 :UInt64;
  part @1 :UInt32;
  nearTenancy @2 :UInt32;   # 1 + index into Batch.tenancies; 0: the near end is not proved
  near @3 :Address;
  far @4 :Address;
  nearPort @5 :UInt16;
  farPort @6 :UInt16;
  reporter @7 :Reporter;
  transport @8 :UInt8;      # IP protocol number: 6 or 17
  endReason @9 :UInt8;      # IPFIX flowEndReason: 1 to 5
  established @10 :Bool;    # false: a failed connect, or UDP

  openedAt @11 :Int64;      # -2^63 when not known
  establishedAt @12 :Int64;
  lastReceivedAt @13 :Int64;
  closedAt @14 :Int64;
  transit @15 :Int64;       # an accepted segment was sent at most this long before; not negative
  error @16 :Int64;         # of the four stamps, from the kernel's tick and from suspends; not negative

  bytesSent @17 :UInt64;
  bytesReceived @18 :UInt64;
  segmentsSent @19 :UInt32;
  segmentsReceived @20 :UInt32;
  retransmits @21 :UInt32;
  srttUs @22 :UInt32;
  minRttUs @23 :UInt32;
  connectUs @24 :UInt32;
  nearInitialSequence @25 :UInt32;
  farInitialSequence @26 :UInt32;
  connectErrno @27 :UInt16;
}

enum Reporter {
  source @0;
  destination @1;
}
