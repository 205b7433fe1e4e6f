@0xb7c1f0a4d2e95a31;
# What agents and nodes say to each other, and nodes among themselves.
#
# A connection carries frames: four bytes of length (little endian, of what follows), then one Cap'n Proto message
# in the standard stream framing, whose root is Message. A frame is at most 4 MiB; a longer one, a truncated one, or
# one that is not a valid Message closes the connection.
#
# Text is UTF-8 without control characters, at most 256 bytes. A batch holds at most 16,384 flows, evidences and
# tenancies each, 4,096 workloads, and 64 labels a workload; the reader counts before it makes room.
#
# Order. The agent opens with `hello`, the node answers `welcome` or `goodbye`; nothing else may come before. Then, at
# any time, the node sends `ping` and the agent answers each with one `pong` at once, in order; the agent sends
# `batch`es with increasing numbers; the node sends `acknowledgement`s, in any order. Either side may say `goodbye`
# and close.
#
# Waiting. A node may promise its next ping to an agent that waits. Until then the agent keeps what it has to say, some
# tens of kilobytes, and sends it behind the pong, in one write; the node keeps acknowledgements as long. When the ping
# is late, or the agent ends, all is sent at once.
#
# Packed. To a node that knows it an agent may send any batch packed.
#
# Compressed. To a node that knows it an agent may send a batch compressed, and nothing else. Credit counts what it was before.
#
# Credit. An agent that knows `credit` says so in its hello, and to a node that knows it too it begins to send a batch
# only while the batches it has sent over this connection take fewer bytes (of frames, without their lengths) than the
# latest `credit` says; before the first one, none. So each agent may pass its credit by one batch. The node says a
# higher number when it has room, to nobody more than a share of it, and closes a connection that does not keep to it.
# An agent may keep a `spare` connection to another node, over which it only answers pings: that node knows its clock
# when it has to take over. There a credit of one byte lets it begin; the first batch makes it one like any other.
#
# Between nodes. A node that has lots for another dials it and opens with `peerHello`; the other answers `peerWelcome` or
# `goodbye`. Then `lot`s go one way and `settled` the other; the node that was dialed sends `ping`, the dialing one
# answers with `pong`, as an agent does, so that what crosses is bounded anew by the clocks of the two. A lot is sent
# again over the next connection until it is settled; its id says that it is the same one.
#
# Time. Every stamp is a reading of the agent's boot-time clock (CLOCK_BOOTTIME), in nanoseconds; in a lot, of the
# sending node's, with errors that cover how it came to know. The node learns
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
    peerHello @7 :PeerHello;
    peerWelcome @8 :PeerWelcome;
    lot @9 :Lot;
    settled @10 :Settled;
    credit @11 :Credit;
    settings @12 :Settings;
    compressed @13 :Compressed;
    packed @14 :Packed;
  }
}

struct Hello {
  version @0 :UInt32;       # of this protocol; a node refuses one that it does not speak
  incarnation @1 :UInt64;   # drawn at random by each start of the agent, not 0
  agent @2 :Text;           # the name in records and logs
  credit @3 :Bool;          # it knows `credit`
  settings @5 :Bool;        # it knows `settings`
  spare @4 :Bool;           # its batches go to another node; to this one only when it has lost that one
  brackets @6 :List(Bracket); # what nodes told it of their clocks, at most 128, of each clock in the order of readings
  runs @7 :Bool;            # it knows Acknowledgement.through
  waits @8 :Bool;           # it lets batches wait for a ping that was promised
}

struct Bracket {
  # A node's statement: this agent's clock was read at some instant of [sent, received] of the clock that it names.
  clock @0 :UInt64;         # the node's machine since its start (and time namespace), so also of its next process; 0: none
  sent @1 :Int64;
  received @2 :Int64;
  reading @3 :Int64;        # the agent's
}

struct Welcome {
  version @0 :UInt32;
  node @1 :Text;
  credit @2 :Bool;          # it gives `credit` to agents that know it
  compressed @3 :Bool;      # it reads `compressed`
  packed @4 :UInt8;         # it reads `packed`, whose rows have this form or an earlier one; 0: it does not
}

struct Settings {
  # What the operator wants of agents, from a node to one that knows it; a new one replaces the one before.
  version @0 :UInt64;       # of the text, for people to compare
  text @1 :Data;            # TOML, at most 64 KiB; one that cannot be used as a whole changes nothing
}

struct Compressed {
  # A batch: its frame, one zstd frame.
  bytes @0 :UInt32;         # of the frame in it, a multiple of 8, at most 4 MiB
  content @1 :Data;
}

struct Credit {
  bytes @0 :UInt64;         # of all batches over this connection; never less than before
}

struct Ping {
  id @0 :UInt64;
  agents @1 :UInt32;        # to an agent: agents whose batches come to this node, plus one; 0: it does not say
  bracket @2 :Bracket;      # to an agent: what is known of its clock, to be shown again with `hello`
  next @3 :UInt32;          # to an agent that waits: the next ping comes within so many ms; 0: none is promised
}

struct Pong {
  id @0 :UInt64;
  reading @1 :Int64;        # the agent's boot-time clock, read after the ping came and before this was sent
}

struct Goodbye {
  reason @0 :Text;
  leaving @1 :Bool;         # the node ends, and others take over: go to one of them at once
}

struct Acknowledgement {
  batch @0 :UInt64;         # every flow of this batch is durable at a sink; the agent may forget it
  through @1 :UInt64;       # and all batches from there to this one, at most 16,384; 0: no other
}

struct Batch {
  number @0 :UInt64;        # counts from 1 within the incarnation; a batch that is sent again keeps its number
  workloads @1 :List(Workload);
  tenancies @2 :List(Tenancy);
  evidence @3 :List(Evidence);
  flows @4 :List(Flow);
  dialled @5 :List(Dialled); # few flows have one; in the order of their flows
}

struct Workload {
  name @0 :Text;            # not empty
  labels @1 :List(Label);
}

struct Label {
  key @0 :Text;
  value @1 :Text;
}

struct Tenancy {
  sequence @0 :UInt64;      # from 1; with the agent's incarnation it is the tenancy's id, never used for another
  workload @1 :UInt32;      # index into Batch.workloads
  port @2 :UInt16;          # 0: the whole address, exclusively
  address :group {          # the 16 bytes in network order, as two numbers; IPv4 is IPv4-mapped (::ffff:a.b.c.d)
    high @3 :UInt64;
    low @4 :UInt64;
  }
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
  # Its index in the list is part of the record's id. Groups, not structs of their own: a reader follows no pointer.
  connection @0 :UInt64;
  part @1 :UInt32;
  nearTenancy @2 :UInt32;   # 1 + index into Batch.tenancies; 0: the near end is not proved
  near :group {             # the reporter's own end; addresses as in Tenancy
    high @3 :UInt64;
    low @4 :UInt64;
    port @5 :UInt16;
    initialSequence @6 :UInt32;
  }
  far :group {
    high @7 :UInt64;
    low @8 :UInt64;
    port @9 :UInt16;
    initialSequence @10 :UInt32;
  }
  reporter @11 :Reporter;
  transport @12 :UInt8;     # IP protocol number: 6 or 17
  endReason @13 :UInt8;     # IPFIX flowEndReason: 1 to 5
  established @14 :Bool;    # false: a failed connect, or UDP
  connectErrno @15 :UInt16;

  openedAt @16 :Int64;      # -2^63 when not known
  establishedAt @17 :Int64;
  lastReceivedAt @18 :Int64;
  closedAt @19 :Int64;
  transit @20 :Int64;       # an accepted segment was sent at most this long before; not negative
  error @21 :Int64;         # of the four stamps, from the kernel's tick and from suspends; not negative

  bytesSent @22 :UInt64;
  bytesReceived @23 :UInt64;
  segmentsSent @24 :UInt32;
  segmentsReceived @25 :UInt32;
  retransmits @26 :UInt32;
  srttUs @27 :UInt32;
  minRttUs @28 :UInt32;
  connectUs @29 :UInt32;
  nearWorkload @30 :UInt32; # without nearTenancy: 1 + index into Batch.workloads of whom the reporter's own kernel names
                            # by the socket's cgroup; 0: nobody
  connections @31 :UInt32;  # above 1: the flow stands for so many connections, all of them within openedAt and closedAt,
                            # and is not established; 0 is 1
}

struct Dialled {
  # What the source of a flow asked to reach, where that is not the destination that it reached.
  flow @0 :UInt32;          # index into Batch.flows; increasing
  port @1 :UInt16;          # not 0
  address :group {          # as in Tenancy
    high @2 :UInt64;
    low @3 :UInt64;
  }
}

struct Packed {
  # A batch whose flows are rows, as a node keeps them: a third of the bytes, and most of them are only copied. A kind of
  # message of its own, so that a node which does not know it says so instead of overlooking the flows. Fields mean what
  # they mean in Flow; of connectErrno there is one byte, and there are no initial sequence numbers.
  #
  # Form 1. A row is its length in bytes (1 byte), a head of 6 bytes, then parts; numbers are little endian. From its
  # lowest bits on, the head has 19 choices of two bits, one for each field: which of the four lengths it has, which may
  # be longer than needed. Then come bits: reporter (1: destination), transport (1: UDP), three of endReason (1 to 5),
  # established, the far address is not IPv4, two of the near address's form, and the upper 32 bits of the far address
  # are nearHigh's. The parts:
  #   far address     4 bytes IPv4; else 16, the upper half first, or the lower half of that (4) and the lower half (8)
  #                   if it is nearHigh's
  #   far port        2 bytes
  #   lastReceivedAt  3 4 5 8 bytes, before `time`
  #   establishedAt   3 4 5 8, before lastReceivedAt
  #   openedAt        2 3 4 8, before establishedAt
  #   transit         2 3 4 8
  #   error           2 3 4 8; at least 3 bytes, however small
  #   closedAt        3 4 5 8, after lastReceivedAt
  #   near port       2 bytes
  #   near address    by its form: 0: 4 bytes IPv4; 1: the lower half (8), the upper one is nearHigh; 2: both, the upper
  #                   one first; 3: the lower 32 bits of the upper half, the upper ones being nearHigh's, then the lower
  #                   half (8)
  #   gap             0 1 2 4: only 0 bytes here
  #   connection      0 1 3 8, after one more than that of the row before; before the first: 0
  #   part            0 1 2 4
  #   near sequence   1 2 3 8: of a tenancy of this agent; 0: the near end is not proved
  #   near workload   1 2 3 4: 1 + index into batch.workloads; 0: nobody, and there is no near sequence
  #   bytesSent, bytesReceived                          2 3 4 8 each
  #   segmentsSent, segmentsReceived                    1 2 3 4 each
  #   retransmits                                       0 1 2 4
  #   srttUs, minRttUs, connectUs                       1 2 3 4 each
  # A difference is d = a - b in 64 bits, wrapping, written as 2d, or as -2d - 1 where d is negative; transit and error
  # are below 2^63. What is left of a row's length says what stands behind them: if it is odd, connectErrno (1 byte);
  # if 4, 10 or 22 are left then, connections (4 bytes; above 1, and not established); if 6 or 18 are left then, what was
  # dialled: port (2, not 0) and address (4 bytes IPv4, or both halves, the upper one first).
  batch @0 :Batch;          # has no `flows` and no `dialled`; of the tenancies only those that evidence names
  flows @1 :UInt32;         # how many rows there are
  time @2 :Int64;
  nearHigh @3 :UInt64;
  rows @4 :Data;            # one behind the other, then eight zeros: a reader may take more than it needs
  form @5 :UInt8;           # of the rows: 1
}

enum Reporter {
  source @0;
  destination @1;
}

struct PeerHello {
  version @0 :UInt32;
  incarnation @1 :UInt64;   # drawn at random by each start of the node, not 0: lots of another one are other lots
  node @2 :Text;            # its name in the cluster
}

struct PeerWelcome {
  version @0 :UInt32;
  incarnation @1 :UInt64;
  node @2 :Text;
  credit @3 :UInt64;        # so many bytes of lots may be sent and not settled
  age @4 :UInt64;           # nanoseconds since it started: what it can know of timelines and clocks
}

struct Lot {
  # Evidence and flows of one agent's batch that belong to the node it is sent to.
  id @0 :UInt64;            # counts from 1 within the sending node's incarnation
  agent @1 :Text;
  incarnation @2 :UInt64;   # the agent's, not 0
  batch @3 :Batch;          # its number is that of the agent's batch
  indices @4 :List(UInt32); # of the flows in the agent's batch: as many as there are flows, increasing
  handedOver @5 :Bool;      # evidence out of the sending node's timelines, whose prefixes are to be held by this one
}

struct Settled {
  lots @0 :List(UInt64);    # every flow of these is durable, their evidence is merged: they may be forgotten
}
