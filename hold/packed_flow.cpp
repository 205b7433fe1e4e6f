#include "hold/packed_flow.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "hold/row_format.hpp"
#include "ownership/asked_port.hpp"
#include "ownership/invariant.hpp"

namespace tenure::hold {

namespace {

std::uint64_t read_high(row_reader& in, bool in_region, const row_base& base) {
  return in_region ? (base.near_high >> 32 << 32 | in.raw<std::uint32_t>()) : in.raw<std::uint64_t>();
}

void write_high(row_writer& out, std::uint64_t high, bool in_region) {
  if (in_region)
    out.raw(static_cast<std::uint32_t>(high));
  else
    out.raw(high);
}

address read_far(row_reader& in, const row_base& base) {
  if (in.small(far_v6_bit) == 0) return address::v4(in.raw<std::uint32_t>());
  const auto high = read_high(in, in.small(far_in_region_bit) != 0, base);
  return address::from_halves(high, in.raw<std::uint64_t>());
}

address read_near(row_reader& in, const row_base& base) {
  const auto form = static_cast<near_form>(in.small(near_bits, 2));
  if (form == near_form::v4) return address::v4(in.raw<std::uint32_t>());
  const auto high =
      form == near_form::v6_of_base ? base.near_high : read_high(in, form == near_form::v6_in_region, base);
  return address::from_halves(high, in.raw<std::uint64_t>());
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

/// @returns where in the row the error stands
template <bool movable>
[[gnu::always_inline]] inline std::size_t write_times(row_writer& out, const flow_times& t, nanos base) {
  out.small(established_bit, t.is_established ? 1 : 0);
  out.difference<last_received>(bits(base), bits(t.last_received));
  out.difference<life>(bits(t.last_received), bits(t.established));
  out.difference<handshake>(bits(t.established), bits(t.opened));
  out.field<transit>(bits(t.transit));
  const std::size_t at = out.written();
  if constexpr (movable)
    out.field_of_at_least<error, movable_error>(bits(t.error));
  else
    out.field<error>(bits(t.error));
  out.difference<closing>(bits(t.closed), bits(t.last_received));
  return at;
}

void read_times(row_reader& in, flow_times& t, nanos base) {
  const auto received = bits(base) - unfolded(in.field<last_received>());
  const auto established = received - unfolded(in.field<life>());
  const auto opened = established - unfolded(in.field<handshake>());
  t.transit = static_cast<nanos>(in.field<transit>());
  t.error = static_cast<nanos>(in.field<error>());
  t.closed = static_cast<nanos>(in.difference<closing>(received));
  t.last_received = static_cast<nanos>(received);
  t.established = static_cast<nanos>(established);
  t.opened = static_cast<nanos>(opened);
  t.is_established = in.small(established_bit) != 0;
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

/// Behind all else, where there are any; what is there follows from the row's length: 1 byte for why the
/// connect failed, 4 if it stands for several connections, then 6 or 18 for what was dialled.
constexpr std::ptrdiff_t connections_bytes = 4;
constexpr std::ptrdiff_t dialled_v4_bytes = 6;
constexpr std::ptrdiff_t dialled_v6_bytes = 18;

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

void read_extras(row_reader& in, const std::byte* row_end, flow& f) {
  auto left = row_end - in.at();
  f.connect_errno = left % 2 != 0 ? in.raw<std::uint8_t>() : 0;
  left -= left % 2;
  f.connections = 1;
  f.dialled = {};
  if (left == connections_bytes || left == connections_bytes + dialled_v4_bytes ||
      left == connections_bytes + dialled_v6_bytes) {
    f.connections = in.raw<std::uint32_t>();
    left -= connections_bytes;
  }
  if (left != dialled_v4_bytes && left != dialled_v6_bytes) return;
  f.dialled.port = in.raw<std::uint16_t>();
  if (left == dialled_v4_bytes) {
    f.dialled.address = address::v4(in.raw<std::uint32_t>());
  } else {
    const auto high = in.raw<std::uint64_t>();
    f.dialled.address = address::from_halves(high, in.raw<std::uint64_t>());
  }
}

/// What of a row depends on the one before it.
struct neighbour {
  std::uint32_t last_index;
  std::uint64_t last_connection;
};

struct written_row {
  std::size_t bytes;
  std::size_t error_at;
};

template <bool movable>
[[gnu::always_inline]] inline written_row write_row(std::byte* to, const flow& f, const row_base& base,
                                                    const neighbour& before) {
  row_writer out(to);
  out.small(reporter_bit, static_cast<std::uint64_t>(f.reporter));
  out.small(udp_bit, f.transport == transport_protocol::udp ? 1 : 0);
  out.small(end_bits, static_cast<std::uint64_t>(f.end));
  write_far(out, f.far_address, base);
  out.raw(f.far_port);
  const std::size_t error_at = write_times<movable>(out, f.times, base.time);
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
  return {out.finish(), error_at};
}

using write_any = written_row (*)(std::byte*, const flow&, const row_base&, const neighbour&);

template <bool movable>
written_row write_plainly(std::byte* to, const flow& f, const row_base& base, const neighbour& before) {
  return write_row<movable>(to, f, base, before);
}

// clang 14 cannot ask for it; it only compiles the fuzzers.
#if defined(__x86_64__) && !defined(__clang__)
/// With the instruction that counts zero bits, which nearly all processors have: nineteen fields ask for it.
template <bool movable>
[[gnu::target("lzcnt")]] written_row write_counting(std::byte* to, const flow& f, const row_base& base,
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

std::uint32_t packed_rows::add_movable(const flow& f) {
  return add_row<true>(f);
}

template <bool movable>
std::uint32_t packed_rows::add_row(const flow& f) {
  invariant(f.id.index > last_index_ || count_ == 0, "the indices of a batch's rows increase");
  make_room();
  const auto row = write_fast<movable>(bytes_.data() + used_, f, base_, {last_index_, last_connection_});
  const auto error_at = static_cast<std::uint32_t>(used_ + row.error_at);
  used_ += row.bytes;
  last_index_ = f.id.index;
  last_connection_ = f.connection;
  ++count_;
  return error_at;
}

void packed_rows::set_error(std::uint32_t at, nanos value) {
  invariant(value >= 0 && value <= movable_errors && at + movable_error_bytes <= used_,
            "an error that is filled in has its place");
  std::memcpy(bytes_.data() + at, &value, movable_error_bytes);
}

void packed_rows::move_base(nanos by) {
  base_.time = static_cast<nanos>(bits(base_.time) + bits(by));
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
  used_ += out.finish_copy();
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
