#pragma once

#include <cstdint>
#include <string>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include "actors/frames.hpp"
#include "actors/lot.hpp"
#include "agent/ipman.hpp"
#include "agent/observed_flow.hpp"
#include "ownership/address.hpp"

/// Every actor's interface, a sentence a message. The path of a flow reads from top to bottom:
/// exporter (agent) -> session -> delay -> shard -> sink, and the confirmation from sink to session to
/// exporter.
namespace tenure::actors {

/// Flows as a source delivered them.
using observed_lot_ptr = std::shared_ptr<const std::vector<agent::observed_flow>>;
using ipman_request_ptr = std::shared_ptr<const agent::ipman_request>;
/// Addresses that names stand for.
using found_addresses_ptr = std::shared_ptr<const std::vector<std::string>>;

}  // namespace tenure::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tenure::actors::evidence_lot_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tenure::actors::flow_lot_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tenure::actors::flow_lots_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tenure::actors::moving_request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tenure::actors::moving_chunk_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tenure::actors::due_lot_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tenure::actors::resolved_lot_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tenure::actors::batch_shares_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tenure::actors::received_frame_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tenure::actors::arrival_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tenure::actors::visit_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tenure::actors::observed_lot_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tenure::actors::ipman_request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tenure::actors::found_addresses_ptr)

CAF_BEGIN_TYPE_ID_BLOCK(tenure, caf::first_custom_type_id)
CAF_ADD_ATOM(tenure, tenure::actors, observed_atom, "observed")
CAF_ADD_ATOM(tenure, tenure::actors, ipman_atom, "ipman")
CAF_ADD_ATOM(tenure, tenure::actors, withdrawn_atom, "withdrawn")
CAF_ADD_ATOM(tenure, tenure::actors, heartbeat_atom, "heartbeat")
CAF_ADD_ATOM(tenure, tenure::actors, look_atom, "look")
CAF_ADD_ATOM(tenure, tenure::actors, seal_atom, "seal")
CAF_ADD_ATOM(tenure, tenure::actors, dial_atom, "dial")
CAF_ADD_ATOM(tenure, tenure::actors, found_atom, "found")
CAF_ADD_ATOM(tenure, tenure::actors, weigh_atom, "weigh")
CAF_ADD_ATOM(tenure, tenure::actors, frame_atom, "frame")
CAF_ADD_ATOM(tenure, tenure::actors, arrival_atom, "arrival")
CAF_ADD_ATOM(tenure, tenure::actors, gone_atom, "gone")
CAF_ADD_ATOM(tenure, tenure::actors, retire_atom, "retire")
CAF_ADD_ATOM(tenure, tenure::actors, hurry_atom, "hurry")
CAF_ADD_ATOM(tenure, tenure::actors, ping_atom, "ping")
CAF_ADD_ATOM(tenure, tenure::actors, ask_atom, "ask")
CAF_ADD_ATOM(tenure, tenure::actors, credit_atom, "credit")
CAF_ADD_ATOM(tenure, tenure::actors, evidence_atom, "evidence")
CAF_ADD_ATOM(tenure, tenure::actors, hold_atom, "hold")
CAF_ADD_ATOM(tenure, tenure::actors, release_atom, "release")
CAF_ADD_ATOM(tenure, tenure::actors, resolve_atom, "resolve")
CAF_ADD_ATOM(tenure, tenure::actors, write_atom, "write")
CAF_ADD_ATOM(tenure, tenure::actors, sync_atom, "sync")
CAF_ADD_ATOM(tenure, tenure::actors, durable_atom, "durable")
CAF_ADD_ATOM(tenure, tenure::actors, told_atom, "told")
CAF_ADD_ATOM(tenure, tenure::actors, forget_atom, "forget")
CAF_ADD_ATOM(tenure, tenure::actors, drain_atom, "drain")
CAF_ADD_ATOM(tenure, tenure::actors, stop_atom, "stop")
CAF_ADD_ATOM(tenure, tenure::actors, moved_atom, "moved")
CAF_ADD_ATOM(tenure, tenure::actors, leave_atom, "leave")
CAF_ADD_ATOM(tenure, tenure::actors, await_atom, "await")
CAF_ADD_ATOM(tenure, tenure::actors, ready_atom, "ready")
CAF_ADD_ATOM(tenure, tenure::actors, hand_atom, "hand")
CAF_ADD_ATOM(tenure, tenure::actors, more_atom, "more")
CAF_END_TYPE_ID_BLOCK(tenure)

namespace tenure::actors {

/// The agent: turns what the kernel saw and what platforms say into batches, and retains them until
/// acknowledged.
using exporter_actor = caf::typed_actor<
    // Flows from the source.
    caf::reacts_to<observed_atom, observed_lot_ptr>,
    // A platform's request; answers with the reply line of docs/ipman.md.
    caf::replies_to<ipman_atom, ipman_request_ptr>::with<std::string>,
    // An address left an interface of the namespace with this cookie: high and low half of the address.
    caf::reacts_to<withdrawn_atom, std::uint64_t, std::uint64_t, std::uint64_t>,
    // Time to verify every tenancy anew and report it.
    caf::reacts_to<heartbeat_atom>,
    // A listener or a cgroup came or went: look soon at who uses this host's endpoints. True: do it now.
    caf::reacts_to<look_atom, bool>,
    // The linger is over: seal what has gathered into a batch and send it.
    caf::reacts_to<seal_atom>,
    // Time to look whether a ping is late that batches wait for.
    caf::reacts_to<ask_atom>,
    // Time to connect to a node (again).
    caf::reacts_to<dial_atom>,
    // What the nodes' names stand for now.
    caf::reacts_to<found_atom, found_addresses_ptr>,
    // Time to look whether another node has clearly fewer agents.
    caf::reacts_to<weigh_atom>,
    // The node said something on the link of this number; frames of earlier links are ignored.
    caf::reacts_to<frame_atom, std::uint64_t, received_frame_ptr>,
    // The link of this number ended, for this transport::close_reason.
    caf::reacts_to<gone_atom, std::uint64_t, std::uint8_t>,
    // Verify, seal and send all there is; answers when the node has placed the evidence of it, though its
    // flows may still be held there. Who asks bounds the wait.
    caf::replies_to<told_atom>::with<bool>,
    // Seal and send all there is; answers when nothing is retained any more. Who asks bounds the wait.
    caf::replies_to<drain_atom>::with<bool>>;

/// One incarnation of an agent on a node, over one connection after the other: bounds its clock, routes its
/// evidence and flows, keeps the ledger of its batches.
using session_actor = caf::typed_actor<
    // The agent connected, and said hello. An earlier connection of it is closed.
    caf::reacts_to<arrival_atom, arrival_ptr>,
    // The agent said something on this connection: it is in the inbox.
    caf::reacts_to<frame_atom, arrival_ptr>,
    // This connection ended, for this transport::close_reason.
    caf::reacts_to<gone_atom, std::uint8_t, arrival_ptr>,
    // Others need the room: end, unless the agent is connected or its flows are on their way.
    caf::reacts_to<retire_atom>,
    // This node leaves: the agent is sent to another.
    caf::reacts_to<leave_atom>,
    // Time for a ping, that batches wait for, or that was promised, or a regular one, and for looking whether
    // the agent is silent.
    caf::reacts_to<ask_atom>,
    // The node drains: what waits for a ping is said, and none is promised any more.
    caf::reacts_to<hurry_atom>,
    // Time to look whether there is more credit for the agent.
    caf::reacts_to<credit_atom>,
    // Flows of these batches are durable at the sink: all that one sync covered.
    caf::reacts_to<durable_atom, batch_shares_ptr>>;

/// Holds flows back for the hold, so that evidence can arrive, then releases them to its shard.
using delay_actor = caf::typed_actor<
    // A lot to hold from now on.
    caf::reacts_to<hold_atom, flow_lot_ptr>,
    // Lots of several batches, likewise.
    caf::reacts_to<hold_atom, flow_lots_ptr>,
    // What the shard could not attribute yet of a lot that it was asked about, and how many nanoseconds
    // heartbeats are apart there.
    caf::reacts_to<hold_atom, due_lot_ptr, nanos>,
    // Time to look what is due.
    caf::reacts_to<release_atom>,
    // Release everything now, and hold nothing any more; answers when the last lot has gone to the shard.
    caf::replies_to<drain_atom>::with<bool>,
    // Release nothing any more: others judge what is held here.
    caf::replies_to<leave_atom>::with<bool>>;

/// Owns the timelines of the prefixes that hash to it: merges evidence, resolves lots by the rule.
using shard_actor = caf::typed_actor<
    // Evidence about endpoints of this shard.
    caf::reacts_to<evidence_atom, evidence_lot_ptr>,
    // A lot whose hold is over, or that is asked about before that; what may wait on goes back to the delay
    // actor that sent it.
    caf::reacts_to<resolve_atom, due_lot_ptr>,
    // Timelines move to another node: its peer actor is sent the first chunk, with this number of ours in it.
    caf::reacts_to<hand_atom, moving_request_ptr, std::uint32_t>,
    // The next chunk for the node of this number and the request of that one.
    caf::reacts_to<more_atom, std::uint32_t, std::uint64_t>,
    // Time to look whether there is history to forget.
    caf::reacts_to<forget_atom>,
    // Answers when everything that came before has been passed on to the sink.
    caf::replies_to<drain_atom>::with<bool>>;

/// Writes resolved lots and tells their sessions when they are durable.
using sink_actor = caf::typed_actor<
    // A lot to write.
    caf::reacts_to<write_atom, resolved_lot_ptr>,
    // Time to make durable what was written.
    caf::reacts_to<sync_atom>,
    // The sync has ended: whether all is durable that was written before it began, or why it never will be.
    caf::reacts_to<durable_atom, bool, std::string>,
    // Makes everything durable that came before, then answers whether that worked; not if the output is full.
    caf::replies_to<drain_atom>::with<bool>>;

/// Another node of the cluster, as we send to it: its link, and what it has not settled yet. What it will
/// never settle goes to whom it belongs now.
using peer_actor = caf::typed_actor<
    // Flows of one batch that the other node is to judge.
    caf::reacts_to<hold_atom, flow_lot_ptr>,
    // Evidence that it is to have; all of one agent's incarnation.
    caf::reacts_to<evidence_atom, evidence_lot_ptr>,
    // Some of a shard's timelines that it is to have.
    caf::reacts_to<hand_atom, moving_chunk_ptr>,
    // The ring moved: whether it is a member now, and where it listens.
    caf::reacts_to<moved_atom, bool, std::string>,
    // Time to connect (again).
    caf::reacts_to<dial_atom>,
    // It said something on the link of this number; frames of earlier links are ignored.
    caf::reacts_to<frame_atom, std::uint64_t, received_frame_ptr>,
    // The link of this number ended, for this transport::close_reason.
    caf::reacts_to<gone_atom, std::uint64_t, std::uint8_t>,
    // Time to send what was gathered.
    caf::reacts_to<seal_atom>,
    // Time to look whether it is silent, or whether what waits for it has another way now.
    caf::reacts_to<ping_atom>,
    // Answers when it has all timelines of this node that it is to hold; false when it cannot have them. Who
    // asks bounds the wait.
    caf::replies_to<drain_atom>::with<bool>>;

/// One incarnation of another node, as it sends to us: bounds its clock, hands its lots to shards and delay
/// actors, keeps the ledger of them. What a session is to an agent.
using intake_actor = caf::typed_actor<
    // It connected, and said hello. An earlier connection of it is closed.
    caf::reacts_to<arrival_atom, visit_ptr>,
    // It said something on this connection.
    caf::reacts_to<frame_atom, received_frame_ptr, visit_ptr>,
    // This connection ended, for this transport::close_reason.
    caf::reacts_to<gone_atom, std::uint8_t, visit_ptr>,
    // A later incarnation of it is here: end when nothing of this one is on its way.
    caf::reacts_to<retire_atom>,
    // This node leaves: that one is told so.
    caf::reacts_to<leave_atom>,
    // Time for the regular clock ping, and for looking whether it is silent.
    caf::reacts_to<ping_atom>,
    // Time for the ping that lots wait for.
    caf::reacts_to<ask_atom>,
    // Flows of these lots are durable at the sink.
    caf::reacts_to<durable_atom, batch_shares_ptr>>;

/// The root of a node: watches over the others and stops them in order. Sessions are made by
/// the reception (reception.hpp).
using node_actor = caf::typed_actor<
    // Resolve and write all that is held; answers whether everything is durable.
    caf::replies_to<drain_atom>::with<bool>,
    // Answers when the others could take over without a loss, or after at most so many nanoseconds; false
    // when there are none.
    caf::replies_to<await_atom, nanos>::with<bool>,
    // Time to look again whether they could.
    caf::reacts_to<ready_atom>,
    // Leave: what is resolved becomes durable, agents and nodes are told to go to others, timelines are
    // handed over. Answers when that is done, or after at most so many nanoseconds; false when there are no
    // others, and nothing was done.
    caf::replies_to<leave_atom, nanos>::with<bool>,
    // Time to look for connections that do not say hello.
    caf::reacts_to<hurry_atom>,
    // Stop all actors of this node.
    caf::reacts_to<stop_atom>>;

}  // namespace tenure::actors
