#include "hold/received_rows.hpp"

#include <algorithm>

#include "hold/row_format.hpp"
#include "hold/row_parts.hpp"

namespace tenure::hold {
namespace {

/// See received_row::first.
nanos first_of(const flow_times& t) {
  if (t.error > movable_errors || t.opened == time_min || t.last_received == time_min || t.closed == time_min)
    return time_min;
  const nanos answered = t.is_established ? t.established : t.opened;
  return saturating_sub(std::min({t.opened, answered, t.last_received, t.closed}), t.error);
}

bool end_is_known(std::uint64_t head) {
  const auto end = head >> end_bits & 7;
  return end >= static_cast<std::uint64_t>(end_reason::idle_timeout) &&
         end <= static_cast<std::uint64_t>(end_reason::lack_of_resources);
}

/// @param extras bytes of them that the row has
const char* wrong_in_extras(const std::byte* at, std::ptrdiff_t extras, bool established) {
  const std::byte* const end = at + extras;
  at += extras % 2;  // why the connect failed: any number
  if (has_connections(extras)) {
    std::uint32_t connections = 0;
    std::memcpy(&connections, at, sizeof connections);
    at += connections_bytes;
    if (connections < 2) return "a row for several connections that are none";
    if (established) return "several connections with one handshake";
  }
  if (at == end) return nullptr;
  if (end - at != dialled_v4_bytes && end - at != dialled_v6_bytes) return "a row of another length";
  std::uint16_t port = 0;
  std::memcpy(&port, at, sizeof port);
  return port == 0 ? "a dialled address without a port" : nullptr;
}

/// The numbers of a row whose length is right.
const char* wrong_in_fields(const std::byte* row, std::uint64_t head, std::size_t names, nanos base,
                            nanos& last_stamp) {
  row_reader times(row, before_times(head));
  flow_times t;
  read_times(times, t, base);
  if (t.transit < 0) return "a flow with a negative transit";
  if (t.error < 0) return "a flow with a negative error";
  last_stamp = std::max({last_stamp, t.opened, t.established, t.last_received, t.closed});
  row_reader near(row, before_part(head));
  near.field<part>();
  const auto sequence = near.field<near_sequence>();
  const auto name = near.number<near_name>();
  if (name > names) return "a flow whose near workload is not in the batch";
  if (sequence != 0 && name == 0) return "a tenancy of a workload that is not in the batch";
  return nullptr;
}

}  // namespace

const char* wrong_in(const received_rows& rows, std::size_t bytes, std::size_t names, nanos& last_stamp) {
  const std::byte* at = rows.first;
  const std::byte* const end = at + bytes;
  for (std::uint32_t i = 0; i < rows.count; ++i) {
    if (at >= end) return "fewer rows than flows";
    // Up to row_slack bytes beyond the end, and of no meaning there.
    std::uint64_t head = 0;
    std::memcpy(&head, at, sizeof head);
    head >>= 8;
    const std::size_t length = length_of(at);
    const std::size_t extras_at = before_extras(head);
    if (length < extras_at || length > static_cast<std::size_t>(end - at)) return "a row of another length";
    if (!end_is_known(head)) return "a flow with an unknown end reason";
    if (choice_of<error>(head) < movable_error) return "a row without room for its error";
    if (choice_of<index_gap>(head) != 0) return "rows with gaps";
    if (length > extras_at) {
      const bool established = (head >> established_bit & 1) != 0;
      if (const char* wrong =
              wrong_in_extras(at + extras_at, static_cast<std::ptrdiff_t>(length - extras_at), established))
        return wrong;
    }
    if (const char* wrong = wrong_in_fields(at, head, names, rows.base.time, last_stamp)) return wrong;
    at += length;
  }
  return at == end ? nullptr : "more rows than flows";
}

void received_cursor::next(received_row& out) {
  row_reader in(at_);
  const std::uint64_t head = in.head();
  out.begin = at_;
  out.far = read_far(in, *base_);
  in.skip(port_bytes);
  flow_times t;
  read_times(in, t, base_->time);
  out.first = first_of(t);
  out.error = t.error;
  out.error_at = before_error(head);
  out.near_address_at = static_cast<std::size_t>(in.at() - at_) + port_bytes;
  out.index_gap_at = out.near_address_at + near_bytes(head);
  in.skip(port_bytes + near_bytes(head));
  out.index = next_index_++;
  out.connection = last_connection_ = in.difference<connection>(last_connection_ + 1);
  out.part = in.number<part>();
  out.near_sequence = in.field<near_sequence>();
  out.near_name = in.number<near_name>();
  out.counters_at = static_cast<std::size_t>(in.at() - at_);
  const std::size_t length = length_of(at_);
  const std::size_t extras = length - before_extras(head);
  out.connections = 1;
  if (has_connections(static_cast<std::ptrdiff_t>(extras)))
    std::memcpy(&out.connections, at_ + length - extras + extras % 2, sizeof out.connections);
  at_ += length;
}

address received_cursor::near_address(const received_row& of) const {
  row_reader in(of.begin, of.near_address_at);
  return read_near(in, *base_);
}

flow received_cursor::whole(const received_row& of) const {
  flow f;
  row_cursor(*base_, of.begin).next(f);
  // These it has from the row before.
  f.id.index = of.index;
  f.connection = of.connection;
  return f;
}

row_base row_placer::base() const {
  row_base moved = rows_->base;
  moved.time = static_cast<nanos>(bits(moved.time) + bits(shift_->offset()));
  return moved;
}

void row_placer::add(packed_rows& to, const received_cursor& from, const received_row& of,
                     workload_id name) const {
  const nanos placed_error =
      of.first == time_min ? unknown_error : saturating_add(shift_->error_since(of.first), of.error);
  if (placed_error <= movable_errors) return to.add_received(of, name, placed_error);
  flow f = from.whole(of);
  (*place_one_)(f.times);
  f.near_workload = name;
  if (name == workload_id::none) f.near_tenancy = {};
  to.add(f);
}

}  // namespace tenure::hold
