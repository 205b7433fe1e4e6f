#include "hold/packed_flow.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "ownership/asked_port.hpp"
#include "ownership/invariant.hpp"

namespace tenure::hold {

namespace {

static_assert(std::endian::native == std::endian::little, "fields are cut from words, low bytes first");

/// A field's place among the choices in the head, and the four lengths in bytes that it chooses from; the
/// last has room for any value.
struct shape {
  unsigned place;
  unsigned a, b, c, d;
};

// What the rule asks for comes first.
constexpr shape last_received{0, 3, 4, 5, 8};
constexpr shape life{1, 3, 4, 5, 8};
constexpr shape handshake{2, 2, 3, 4, 8};
constexpr shape transit{3, 2, 3, 4, 8};
constexpr shape error{4, 2, 3, 4, 8};
constexpr shape closing{5, 3, 4, 5, 8};
constexpr shape index_gap{6, 0, 1, 2, 4};
constexpr shape connection{7, 0, 1, 3, 8};
constexpr shape part{8, 0, 1, 2, 4};
constexpr shape near_sequence{9, 1, 2, 3, 8};
constexpr shape near_name{10, 1, 2, 3, 4};
constexpr shape bytes_sent{11, 2, 3, 4, 8};
constexpr shape bytes_received{12, 2, 3, 4, 8};
constexpr shape segments_sent{13, 1, 2, 3, 4};
constexpr shape segments_received{14, 1, 2, 3, 4};
constexpr shape retransmits{15, 0, 1, 2, 4};
constexpr shape srtt{16, 1, 2, 3, 4};
constexpr shape min_rtt{17, 1, 2, 3, 4};
constexpr shape connect_time{18, 1, 2, 3, 4};

// Small things, above the choices in the head.
constexpr unsigned reporter_bit = 38;
constexpr unsigned udp_bit = 39;
constexpr unsigned end_bits = 40;  // three
constexpr unsigned established_bit = 43;
constexpr unsigned far_v6_bit = 44;
constexpr unsigned near_bits = 45;  // two
constexpr unsigned far_in_region_bit = 47;

/// How much of a near address is the base's: the network of its host, or the upper half of that.
enum class near_form : unsigned { v4, v6_of_base, v6, v6_in_region };

constexpr bool in_region(std::uint64_t high, const row_base& base) {
  return high >> 32 == base.near_high >> 32;
}

constexpr std::size_t head_bytes = 6;
constexpr std::size_t common_row_bytes = 64;

constexpr std::uint64_t mask(unsigned bytes) {
  return bytes == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * bytes)) - 1;
}

/// Differences either way are small numbers.
constexpr std::uint64_t folded(std::uint64_t difference) {
  return (difference << 1) ^ (0 - (difference >> 63));
}
constexpr std::uint64_t unfolded(std::uint64_t n) {
  return (n >> 1) ^ (0 - (n & 1));
}

constexpr std::uint64_t bits(nanos n) {
  return static_cast<std::uint64_t>(n);
}

class row_writer {
 public:
  explicit row_writer(std::byte* row) : row_(row), at_(row + 1 + head_bytes) {}

  template <shape S>
  void field(std::uint64_t value) {
    const unsigned choice =
        unsigned{value > mask(S.a)} + unsigned{value > mask(S.b)} + unsigned{value > mask(S.c)};
    constexpr std::uint32_t lengths = S.a | S.b << 8 | S.c << 16 | S.d << 24;
    std::memcpy(at_, &value, sizeof value);
    at_ += (lengths >> (8 * choice)) & 255;
    head_ |= std::uint64_t{choice} << (2 * S.place);
  }
  template <shape S>
  void difference(std::uint64_t to, std::uint64_t from) {
    field<S>(folded(to - from));
  }
  template <class Number>
  void raw(Number n) {
    std::memcpy(at_, &n, sizeof n);
    at_ += sizeof n;
  }
  void small(unsigned place, std::uint64_t value) { head_ |= value << place; }

  /// @returns the row's length
  std::size_t finish() {
    const auto length = static_cast<std::size_t>(at_ - row_);
    const std::uint64_t first = (head_ << 8) | length;
    std::memcpy(row_, &first, 1 + head_bytes);
    return length;
  }

 private:
  std::byte* row_;
  std::byte* at_;
  std::uint64_t head_ = 0;
};

class row_reader {
 public:
  explicit row_reader(const std::byte* row) : at_(row + 1 + head_bytes) {
    std::memcpy(&head_, row, sizeof head_);
    head_ >>= 8;
  }

  template <shape S>
  std::uint64_t field() {
    const unsigned choice = (head_ >> (2 * S.place)) & 3;
    static constexpr std::uint64_t masks[] = {mask(S.a), mask(S.b), mask(S.c), mask(S.d)};
    constexpr std::uint32_t lengths = S.a | S.b << 8 | S.c << 16 | S.d << 24;
    std::uint64_t value = 0;
    std::memcpy(&value, at_, sizeof value);
    at_ += (lengths >> (8 * choice)) & 255;
    return value & masks[choice];
  }
  template <shape S>
  std::uint32_t number() {
    return static_cast<std::uint32_t>(field<S>());
  }
  template <shape S>
  std::uint64_t difference(std::uint64_t from) {
    return from + unfolded(field<S>());
  }
  template <class Number>
  Number raw() {
    Number n{};
    std::memcpy(&n, at_, sizeof n);
    at_ += sizeof n;
    return n;
  }
  const std::byte* at() const { return at_; }
  unsigned small(unsigned place, unsigned width = 1) const {
    return static_cast<unsigned>(head_ >> place) & ((1U << width) - 1);
  }

 private:
  const std::byte* at_;
  std::uint64_t head_ = 0;
};

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

void write_far(row_writer& out, const address& a, const row_base& base) {
  if (a.is_v4()) return out.raw(a.v4_bits());
  const bool shares = in_region(a.high(), base);
  out.small(far_v6_bit, 1);
  out.small(far_in_region_bit, shares ? 1 : 0);
  write_high(out, a.high(), shares);
  out.raw(a.low());
}

void write_near(row_writer& out, const address& a, const row_base& base) {
  if (a.is_v4()) return out.raw(a.v4_bits());
  const bool shares = in_region(a.high(), base);
  const auto form = a.high() == base.near_high ? near_form::v6_of_base
                    : shares                   ? near_form::v6_in_region
                                               : near_form::v6;
  out.small(near_bits, static_cast<std::uint64_t>(form));
  if (form != near_form::v6_of_base) write_high(out, a.high(), shares);
  out.raw(a.low());
}

void write_times(row_writer& out, const flow_times& t, nanos base) {
  out.small(established_bit, t.is_established ? 1 : 0);
  out.difference<last_received>(bits(base), bits(t.last_received));
  out.difference<life>(bits(t.last_received), bits(t.established));
  out.difference<handshake>(bits(t.established), bits(t.opened));
  out.field<transit>(bits(t.transit));
  out.field<error>(bits(t.error));
  out.difference<closing>(bits(t.closed), bits(t.last_received));
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

void write_counters(row_writer& out, const flow_counters& c) {
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

std::size_t length_of(const std::byte* row) {
  return std::to_integer<std::size_t>(*row);
}

/// What four fields take together, by their choices.
template <shape A, shape B, shape C, shape D>
constexpr auto lengths_of_four = [] {
  static_assert(A.place % 4 == 0 && B.place == A.place + 1 && C.place == A.place + 2 &&
                D.place == A.place + 3);
  const auto length = [](const shape& s, unsigned choice) {
    return choice == 0 ? s.a : choice == 1 ? s.b : choice == 2 ? s.c : s.d;
  };
  std::array<std::uint8_t, 256> out{};
  for (unsigned i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint8_t>(length(A, i & 3) + length(B, i >> 2 & 3) + length(C, i >> 4 & 3) +
                                       length(D, i >> 6 & 3));
  return out;
}();

/// Where a row's field near_name begins: what comes before it is the far end, ten fields and the near end.
std::size_t before_near_name(std::uint64_t head) {
  constexpr std::array<std::uint8_t, 4> far = {4, 16, 4, 12};  // by far_v6_bit and far_in_region_bit
  constexpr std::array<std::uint8_t, 4> near = {4, 8, 16, 12};
  constexpr shape nothing{10, 0, 0, 0, 0};
  constexpr shape nothing_more{11, 0, 0, 0, 0};
  constexpr std::size_t ports = 4;
  return 1 + head_bytes + ports + far[(head >> far_v6_bit & 1) | (head >> far_in_region_bit & 1) << 1] +
         near[head >> near_bits & 3] + lengths_of_four<last_received, life, handshake, transit>[head & 255] +
         lengths_of_four<error, closing, index_gap, connection>[head >> 8 & 255] +
         lengths_of_four<part, near_sequence, nothing, nothing_more>[head >> 16 & 255];
}

}  // namespace

packed_rows::packed_rows(const row_base& base, std::size_t rows) : base_(base) {
  if (rows > 0) bytes_.resize(rows * common_row_bytes + max_row_bytes + row_slack);
}

void packed_rows::add(const flow& f) {
  invariant(f.id.index > last_index_ || count_ == 0, "the indices of a batch's rows increase");
  if (bytes_.size() - used_ < max_row_bytes + row_slack)
    bytes_.resize(std::max(bytes_.size() * 2, used_ + 8 * max_row_bytes));
  row_writer out(bytes_.data() + used_);
  out.small(reporter_bit, static_cast<std::uint64_t>(f.reporter));
  out.small(udp_bit, f.transport == transport_protocol::udp ? 1 : 0);
  out.small(end_bits, static_cast<std::uint64_t>(f.end));
  write_far(out, f.far_address, base_);
  out.raw(f.far_port);
  write_times(out, f.times, base_.time);
  out.raw(f.near_port);
  write_near(out, f.near_address, base_);
  const std::uint32_t gap = f.id.index - last_index_ - 1;
  out.field<index_gap>(gap);
  out.difference<connection>(f.connection, last_connection_ + gap + 1);
  out.field<part>(f.part);
  out.field<near_sequence>(f.near_tenancy.sequence);
  out.field<near_name>(static_cast<std::uint32_t>(f.near_workload));
  write_counters(out, f.counters);
  write_extras(out, f);
  used_ += out.finish();
  last_index_ = f.id.index;
  last_connection_ = f.connection;
  ++count_;
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
