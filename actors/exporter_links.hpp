#pragma once

#include <vector>

#include "actors/exporter.hpp"

/// An exporter's links: which node it is connected to, which one could take over, and when it goes to
/// another.
namespace tenure::actors {

using exporter_pointer = exporter_actor::stateful_pointer<exporter_state>;

/// Every tenancy is verified anew and reported.
void tell_all(exporter_pointer self);

/// Sends what is retained and was not sent over this link, as far as credit goes.
/// @param may_wait the number of a batch that was sealed just now, for which there is time until a ping that
/// was promised
void send_batches(exporter_pointer self, std::uint64_t may_wait = 0);
/// Sends what waits for a ping if that is late, or at once.
void look_at_waiting(exporter_pointer self);
void send_waiting(exporter_state& s);

/// Dials what is missing, once it is known what the nodes' names stand for now.
void dial(exporter_pointer self);
void found(exporter_pointer self, const std::vector<std::string>& addresses);
/// A node answers on this link.
void welcomed(exporter_pointer self, exporter_state::node_link& at, const wire::welcome& w);
/// The link of this number ended.
void gone(exporter_pointer self, std::uint64_t number, transport::close_reason why);

/// Looks whether the spare link's node has clearly fewer agents, and sets the next look.
void weigh(exporter_pointer self);
void weigh_later(exporter_pointer self);
/// Closes the link that was the main one before we moved, when nothing is owed over it any more.
void let_old_node_go(exporter_pointer self);

}  // namespace tenure::actors
