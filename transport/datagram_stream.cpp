#include "transport/datagram_stream.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tenure::transport {
namespace {

constexpr std::array<std::byte, 3> magic{std::byte{'T'}, std::byte{'n'}, std::byte{2}};
constexpr std::size_t most_piece = datagram::most_bytes - datagram::head_bytes;
constexpr std::uint32_t acknowledged_beyond = 32;
/// So many later pieces came: this one is lost, not late.
constexpr std::uint32_t overtaken_by = 3;
constexpr std::size_t fewest_under_way = 4;

template <class Number>
void put(std::vector<std::byte>& out, Number n) {
  for (std::size_t i = 0; i < sizeof n; ++i) out.push_back(static_cast<std::byte>(n >> (8 * i)));
}

template <class Number>
Number get(std::span<const std::byte>& in) {
  Number n = 0;
  for (std::size_t i = 0; i < sizeof n; ++i)
    n = static_cast<Number>(n | static_cast<Number>(std::to_integer<Number>(in[i]) << (8 * i)));
  in = in.subspan(sizeof n);
  return n;
}

bool counts(datagram::kind k) {
  return k == datagram::kind::piece || k == datagram::kind::last;
}

}  // namespace

std::vector<std::byte> datagram::encode() const {
  std::vector<std::byte> out(magic.begin(), magic.end());
  out.reserve(head_bytes + piece.size());
  out.push_back(static_cast<std::byte>(what));
  put(out, connection);
  put(out, number);
  put(out, received);
  put(out, beyond);
  out.insert(out.end(), piece.begin(), piece.end());
  return out;
}

std::optional<datagram> datagram::decode(std::span<const std::byte> bytes) {
  if (bytes.size() < head_bytes || bytes.size() > most_bytes) return std::nullopt;
  if (!std::ranges::equal(bytes.first(magic.size()), magic)) return std::nullopt;
  bytes = bytes.subspan(magic.size());
  const auto what = get<std::uint8_t>(bytes);
  if (what < static_cast<std::uint8_t>(kind::open) || what > static_cast<std::uint8_t>(kind::unknown))
    return std::nullopt;
  datagram d;
  d.what = kind{what};
  d.connection = get<std::uint64_t>(bytes);
  d.number = get<std::uint64_t>(bytes);
  d.received = get<std::uint64_t>(bytes);
  d.beyond = get<std::uint32_t>(bytes);
  d.piece.assign(bytes.begin(), bytes.end());
  if (d.what != kind::piece && !d.piece.empty()) return std::nullopt;
  return d;
}

void datagram_stream::send(const frame& f) {
  if (finished_) return;
  const auto prefix = length_prefix(f);
  const auto body = std::as_bytes(std::span(f));
  queue_.insert(queue_.end(), prefix.begin(), prefix.end());
  queue_.insert(queue_.end(), body.begin(), body.end());
  waiting_bytes_ += prefix.size() + body.size();
}

void datagram_stream::finish() {
  finished_ = true;
}

datagram datagram_stream::made() const {
  datagram d;
  d.connection = connection_;
  d.received = expected_;
  for (const auto& [number, early] : early_) {
    const auto distance = number - expected_ - 1;
    if (distance < acknowledged_beyond) d.beyond |= 1U << distance;
  }
  return d;
}

std::optional<datagram> datagram_stream::next(time now) {
  lost(now);
  std::size_t flying = 0;
  auto again = under_way_.end();
  for (auto it = under_way_.begin(); it != under_way_.end(); ++it) {
    flying += it->second.under_way ? 1U : 0U;
    if (!it->second.under_way && again == under_way_.end()) again = it;
  }
  if (flying < may_be_under_way_) {
    const bool more = !queue_.empty() || (finished_ && !last_made_);
    if (again == under_way_.end() && more && under_way_.size() < window) {
      outgoing o;
      const auto bytes = std::min(queue_.size(), most_piece);
      o.bytes.assign(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(bytes));
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(bytes));
      o.last = bytes == 0;
      last_made_ = last_made_ || o.last;
      again = under_way_.emplace(next_number_++, std::move(o)).first;
    }
    if (again != under_way_.end()) {
      auto& o = again->second;
      o.under_way = true;
      o.sent_at = now;
      auto d = made();
      d.what = o.last ? datagram::kind::last : datagram::kind::piece;
      d.number = again->first;
      d.piece = o.bytes;
      acknowledge_ = false;
      return d;
    }
  }
  if (std::exchange(acknowledge_, false)) return made();
  return std::nullopt;
}

std::optional<datagram_stream::time> datagram_stream::due() const {
  std::optional<time> first;
  for (const auto& [number, o] : under_way_)
    if (o.under_way) first = std::min(first.value_or(o.sent_at), o.sent_at);
  if (!first) return std::nullopt;
  return *first + resend_after_;
}

/// What was not acknowledged in time is sent again, and ever more slowly until something is.
void datagram_stream::lost(time now) {
  bool any = false;
  for (auto& [number, o] : under_way_) {
    if (!o.under_way || now - o.sent_at < resend_after_) continue;
    o.under_way = false;
    o.again = true;
    ++resent_;
    any = true;
  }
  if (!any) return;
  resend_after_ = std::min(resend_after_ * 2, longest_resend);
  may_be_under_way_ = fewest_under_way;
  shrank_at_ = next_number_;
}

void datagram_stream::measured(time round_trip) {
  smoothed_ = smoothed_ == time{0} ? round_trip : (smoothed_ * 7 + round_trip) / 8;
}

void datagram_stream::acknowledged(const datagram& d, time now) {
  const auto here = [&](std::uint64_t number) {
    if (number < d.received) return true;
    const auto distance = number - d.received - 1;
    return number > d.received && distance < acknowledged_beyond && (d.beyond >> distance & 1) != 0;
  };
  std::size_t news = 0;
  std::uint64_t highest = 0;
  for (auto it = under_way_.begin(); it != under_way_.end();) {
    if (!here(it->first)) {
      ++it;
      continue;
    }
    if (!it->second.again && it->second.under_way) measured(now - it->second.sent_at);
    waiting_bytes_ -= it->second.bytes.size();
    highest = it->first;
    ++news;
    it = under_way_.erase(it);
  }
  if (news == 0) return;
  resend_after_ = std::clamp(2 * smoothed_ + std::chrono::milliseconds{50}, first_resend, longest_resend);
  acknowledged_since_ += news;
  if (acknowledged_since_ >= may_be_under_way_) {
    acknowledged_since_ = 0;
    may_be_under_way_ = std::min<std::size_t>(may_be_under_way_ * 2, window);
  }
  for (auto& [number, o] : under_way_) {
    if (!o.under_way || o.again || number + overtaken_by > highest) continue;
    o.under_way = false;
    o.again = true;
    ++resent_;
    if (number < shrank_at_) continue;  // of a loss that it has shrunk for
    may_be_under_way_ = std::max(may_be_under_way_ / 2, fewest_under_way);
    shrank_at_ = next_number_;
  }
}

void datagram_stream::in_order(std::span<const std::byte> piece, bool last) {
  ended_ = ended_ || last;
  while (auto f = reader_.next(piece)) incoming_.push_back(std::move(*f));
}

void datagram_stream::received(const datagram& d, time now) {
  if (d.connection != connection_ || !counts(d.what)) return;
  acknowledged(d, now);
  if (d.what == datagram::kind::piece && d.piece.empty()) return;
  acknowledge_ = true;
  if (d.number < expected_ || d.number - expected_ >= window || ended_) return;
  early_.emplace(d.number, d);
  for (auto it = early_.find(expected_); it != early_.end(); it = early_.find(expected_)) {
    in_order(it->second.piece, it->second.what == datagram::kind::last);
    early_.erase(it);
    ++expected_;
  }
}

std::optional<frame> datagram_stream::take() {
  if (incoming_.empty()) return std::nullopt;
  auto f = std::move(incoming_.front());
  incoming_.pop_front();
  return f;
}

}  // namespace tenure::transport
