#include "hold/packed_flow.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "hold/received_rows.hpp"
#include "hold/row_format.hpp"
#include "hold/row_parts.hpp"
#include "ownership/asked_port.hpp"
#include "ownership/invariant.hpp"

namespace tenure::hold {

namespace {

void write_high(row_writer& out, std::uint64_t high, bool in_region) {
  if (in_region)
    out.raw(static_cast<std::uint32_t>(high));
  else
    out.raw(high);
}

[[gnu::always_inline]] inline void write_far(row_writer& out, const address& a, const row_base& base) {
  if (a.is_v4()) return out.raw(a.v4_bits());
  const bool shares = in_region(a.high(), base);
  out.small(far_v6_bit, 1);
  out.small(far_in_region_bit, shares ? 1 : 0);
  write_high(out, a.high(), shares);
  out.raw(a.low());
}

[[gnu::always_inline]] inline void write_near(row_writer& out, const address& a, const row_base& base) {
  if (a.is_v4()) return out.raw(a.v4_bits());
  const bool shares = in_region(a.high(), base);
  const auto form = a.high() == base.near_high ? near_form::v6_of_base
                    : shares                   ? near_form::v6_in_region
                                               : near_form::v6;
  out.small(near_bits, static_cast<std::uint64_t>(form));
  if (form != near_form::v6_of_base) write_high(out, a.high(), shares);
  out.raw(a.low());
}

template <bool movable>
[[gnu::always_inline]] inline void write_times(row_writer& out, const flow_times& t, nanos base) {
  out.small(established_bit, t.is_established ? 1 : 0);
  out.difference<last_received>(bits(base), bits(t.last_received));
  out.difference<life>(bits(t.last_received), bits(t.established));
  out.difference<handshake>(bits(t.established), bits(t.opened));
  out.field<transit>(bits(t.transit));
  if constexpr (movable)
    out.field_of_at_least<error, movable_error>(bits(t.error));
  else
    out.field<error>(bits(t.error));
  out.difference<closing>(bits(t.closed), bits(t.last_received));
}

[[gnu::always_inline]] inline void write_counters(row_writer& out, const flow_counters& c) {
  out.field<bytes_sent>(c.bytes_sent);
  out.field<bytes_received>(c.bytes_received);
  out.field<segments_sent>(c.segments_sent);
  out.field<segments_received>(c.segments_received);
  out.field<retransmits>(c.retransmits);
  out.field<srtt>(c.srtt_us);
  out.field<min_rtt>(c.min_rtt_us);
  out.field<connect_time>(c.connect_us);
}

void read_counters(row_reader& in, flow_counters& c) {
  c.bytes_sent = in.field<bytes_sent>();
  c.bytes_received = in.field<bytes_received>();
  c.segments_sent = in.number<segments_sent>();
  c.segments_received = in.number<segments_received>();
  c.retransmits = in.number<retransmits>();
  c.srtt_us = in.number<srtt>();
  c.min_rtt_us = in.number<min_rtt>();
  c.connect_us = in.number<connect_time>();
}

void write_extras(row_writer& out, const flow& f) {
  // Linux knows errors up to 133.
  if (f.connect_errno != 0) out.raw(static_cast<std::uint8_t>(std::min<std::uint16_t>(f.connect_errno, 255)));
  if (f.connections != 1) out.raw(f.connections);
  const auto& dialled = f.dialled;
  if (dialled.port == 0) return;
  out.raw(dialled.port);
  if (dialled.address.is_v4()) return out.raw(dialled.address.v4_bits());
  out.raw(dialled.address.high());
  out.raw(dialled.address.low());
}

/// What of a row depends on the one before it.
struct neighbour {
  std::uint32_t last_index;
  std::uint64_t last_connection;
};

/// @returns its length
template <bool movable>
[[gnu::always_inline]] inline std::size_t write_row(std::byte* to, const flow& f, const row_base& base,
                                                    const neighbour& before) {
  row_writer out(to);
  out.small(reporter_bit, static_cast<std::uint64_t>(f.reporter));
  out.small(udp_bit, f.transport == transport_protocol::udp ? 1 : 0);
  out.small(end_bits, static_cast<std::uint64_t>(f.end));
  write_far(out, f.far_address, base);
  out.raw(f.far_port);
  write_times<movable>(out, f.times, base.time);
  out.raw(f.near_port);
  write_near(out, f.near_address, base);
  const std::uint32_t gap = f.id.index - before.last_index - 1;
  out.field<index_gap>(gap);
  out.difference<connection>(f.connection, before.last_connection + gap + 1);
  out.field<part>(f.part);
  out.field<near_sequence>(f.near_tenancy.sequence);
  out.field<near_name>(static_cast<std::uint32_t>(f.near_workload));
  write_counters(out, f.counters);
  write_extras(out, f);
  return out.finish();
}

using write_any = std::size_t (*)(std::byte*, const flow&, const row_base&, const neighbour&);

template <bool movable>
std::size_t write_plainly(std::byte* to, const flow& f, const row_base& base, const neighbour& before) {
  return write_row<movable>(to, f, base, before);
}

// clang 14 cannot ask for it; it only compiles the fuzzers.
#if defined(__x86_64__) && !defined(__clang__)
/// With the instruction that counts zero bits, which nearly all processors have: nineteen fields ask for it.
template <bool movable>
[[gnu::target("lzcnt")]] std::size_t write_counting(std::byte* to, const flow& f, const row_base& base,
                                                    const neighbour& before) {
  return write_row<movable>(to, f, base, before);
}
template <bool movable>
const write_any write_fast = __builtin_cpu_supports("lzcnt") ? write_counting<movable>
                                                             : write_plainly<movable>;
#else
template <bool movable>
constexpr write_any write_fast = write_plainly<movable>;
#endif

}  // namespace

packed_rows::packed_rows(const row_base& base, std::size_t rows) : base_(base) {
  if (rows > 0) bytes_.resize(rows * common_row_bytes + max_row_bytes + row_slack);
}

void packed_rows::make_room() {
  if (bytes_.size() - used_ < max_row_bytes + row_slack)
    bytes_.resize(std::max(bytes_.size() * 2, used_ + 8 * max_row_bytes));
}

void packed_rows::add(const flow& f) {
  add_row<false>(f);
}

void packed_rows::add_movable(const flow& f) {
  add_row<true>(f);
}

template <bool movable>
void packed_rows::add_row(const flow& f) {
  invariant(f.id.index > last_index_ || count_ == 0, "the indices of a batch's rows increase");
  make_room();
  used_ += write_fast<movable>(bytes_.data() + used_, f, base_, {last_index_, last_connection_});
  last_index_ = f.id.index;
  last_connection_ = f.connection;
  ++count_;
}

void packed_rows::add_copy(const row_cursor::row& of) {
  invariant(of.index > last_index_ || count_ == 0, "the indices of a batch's rows increase");
  make_room();
  std::byte* const to = bytes_.data() + used_;
  std::memcpy(to, of.begin, of.index_gap_at);
  row_writer out(to, of.index_gap_at);
  const std::uint32_t gap = of.index - last_index_ - 1;
  out.field<index_gap>(gap);
  out.difference<connection>(of.connection, last_connection_ + gap + 1);
  out.bytes(of.begin + of.part_at, length_of(of.begin) - of.part_at);
  used_ += out.finish_copy<index_gap, connection>();
  last_index_ = of.index;
  last_connection_ = of.connection;
  ++count_;
}

void packed_rows::add_received(const received_row& of, workload_id name, nanos placed_error) {
  invariant(of.index > last_index_ || count_ == 0, "the indices of a batch's rows increase");
  invariant(placed_error >= 0 && placed_error <= movable_errors,
            "an error that takes another one's place has room there");
  make_room();
  std::byte* const to = bytes_.data() + used_;
  row_writer out(to, 0);
  out.words(of.begin, of.index_gap_at);
  std::memcpy(to + of.error_at, &placed_error, movable_error_bytes);
  const std::uint32_t gap = of.index - last_index_ - 1;
  out.field<index_gap>(gap);
  out.difference<connection>(of.connection, last_connection_ + gap + 1);
  out.field<part>(of.part);
  out.field<near_sequence>(name == workload_id::none ? 0 : of.near_sequence);
  out.field<near_name>(static_cast<std::uint32_t>(name));
  out.words(of.begin + of.counters_at, length_of(of.begin) - of.counters_at);
  used_ += out.finish_copy<index_gap, connection, part, near_sequence, near_name>();
  last_index_ = of.index;
  last_connection_ = of.connection;
  ++count_;
}

row_cursor::row row_cursor::next_row() {
  std::uint64_t head = 0;
  std::memcpy(&head, at_, sizeof head);
  const std::size_t index_gap_at = before_index_gap(head >> 8);
  row_reader in(at_, index_gap_at);
  const auto gap = in.number<index_gap>();
  last_index_ += gap + 1;
  last_connection_ = in.difference<connection>(last_connection_ + gap + 1);
  const row out{at_, index_gap_at, static_cast<std::size_t>(in.at() - at_), last_index_, last_connection_};
  at_ += length_of(at_);
  return out;
}

void row_cursor::next(question& q) {
  row_reader in(at_);
  q.far = read_far(in, *base_);
  q.far_port = asked_port(in.small(udp_bit) != 0 ? transport_protocol::udp : transport_protocol::tcp,
                          in.raw<std::uint16_t>());
  read_times(in, q.times, base_->time);
  at_ += length_of(at_);
}

workload_id row_cursor::next_near_workload() {
  std::uint64_t head = 0;
  std::memcpy(&head, at_, sizeof head);
  head >>= 8;
  std::uint32_t name = 0;
  std::memcpy(&name, at_ + before_near_name(head), sizeof name);
  const unsigned choice = head >> (2 * near_name.place) & 3;
  at_ += length_of(at_);
  return workload_id{name & static_cast<std::uint32_t>(mask(choice + 1))};
}

void row_cursor::next(flow& f) {
  row_reader in(at_);
  f.reporter = static_cast<reporter>(in.small(reporter_bit));
  f.transport = in.small(udp_bit) != 0 ? transport_protocol::udp : transport_protocol::tcp;
  f.end = static_cast<end_reason>(in.small(end_bits, 3));
  f.far_address = read_far(in, *base_);
  f.far_port = in.raw<std::uint16_t>();
  read_times(in, f.times, base_->time);
  f.near_port = in.raw<std::uint16_t>();
  f.near_address = read_near(in, *base_);
  const auto gap = in.number<index_gap>();
  last_index_ += gap + 1;
  last_connection_ = in.difference<connection>(last_connection_ + gap + 1);
  f.id = {base_->incarnation, base_->batch, last_index_};
  f.connection = last_connection_;
  f.part = in.number<part>();
  const auto sequence = in.field<near_sequence>();
  f.near_tenancy = {sequence == 0 ? 0 : base_->incarnation, sequence};
  f.near_workload = workload_id{in.number<near_name>()};
  read_counters(in, f.counters);
  read_extras(in, at_ + length_of(at_), f);
  f.near_initial_sequence = 0;
  f.far_initial_sequence = 0;
  at_ += length_of(at_);
}

}  // namespace tenure::hold
