#include "transport/udp_link.hpp"

#include <algorithm>
#include <utility>

#include <asio/post.hpp>

#include "ownership/invariant.hpp"

namespace tenure::transport {
namespace {

using clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds open_again{200};

datagram_stream::time stream_time(clock::time_point t) {
  return t.time_since_epoch();
}

std::size_t bytes_on_wire(const frame& f) {
  return 4 + f.size() * sizeof(f[0]);
}

}  // namespace

udp_link::udp_link(std::shared_ptr<udp_core> core, std::string peer, std::uint64_t connection)
    : core_(std::move(core)),
      peer_(std::move(peer)),
      connection_(connection),
      resolver_(core_->io),
      timer_(core_->io),
      stream_(connection) {}

void udp_link::send(frame f) {
  const auto bytes = bytes_on_wire(f);
  invariant(bytes <= 4 + max_frame_bytes, "no frame is made longer than max_frame_bytes");
  const std::lock_guard lock(mutex_);
  if (closing_) {
    ++core_->counters.frames_unsent;
    return;
  }
  if (pending_bytes_ + in_stream_ + bytes > core_->options.queue_bytes) {
    closing_ = true;
    ++core_->counters.frames_unsent;
    asio::post(core_->io, [self = shared_from_this()] { self->finish(close_reason::too_slow); });
    return;
  }
  pending_bytes_ += bytes;
  pending_.push_back(std::move(f));
  if (std::exchange(flush_posted_, true)) return;
  asio::post(core_->io, [self = shared_from_this()] { self->go_on(); });
}

void udp_link::close() {
  const std::lock_guard lock(mutex_);
  if (closing_.exchange(true)) return;
  asio::post(core_->io, [self = shared_from_this()] { self->begin_drain(); });
}

void udp_link::bury() {
  const std::lock_guard lock(mutex_);
  closing_ = true;
  stage_ = stage::ended;
}

void udp_link::begin(link_events events) {
  events_ = std::move(events);
  ++core_->links;
  ++core_->counters.open;
  began_ = last_heard_ = clock::now();
}

void udp_link::start_dial(const std::string& host_and_port, link_events events) {
  begin(std::move(events));
  arm();
  const auto where = parse_host_port(host_and_port);
  if (!where) return finish(close_reason::refused);
  std::error_code not_numeric;
  const auto numeric = asio::ip::make_address(where->host, not_numeric);
  if (!not_numeric) return dial({numeric, where->port});
  resolver_.async_resolve(where->host, std::to_string(where->port),
                          [self = shared_from_this()](const std::error_code& error, const auto& found) {
                            if (self->stage_ != stage::opening) return;
                            if (error || found.empty()) return self->finish(close_reason::refused);
                            self->dial(found.begin()->endpoint());
                          });
}

void udp_link::dial(const udp_socket::endpoint& far) {
  asio::ip::udp::socket socket(core_->io);
  std::error_code error;
  socket.open(far.protocol(), error);
  // Connected, so that the system tells when nobody is there, and nobody else is heard.
  if (!error) socket.connect(far, error);
  if (error) return finish(close_reason::refused);
  far_ = far;
  socket_ = std::make_shared<udp_socket>(core_, std::move(socket), acceptor{});
  socket_->add(far_, connection_, shared_from_this());
  socket_->start();
  go_on();
}

void udp_link::start_accepted(std::shared_ptr<udp_socket> socket, const udp_socket::endpoint& far,
                              const acceptor& accept) {
  begin({});
  accepted_ = true;
  socket_ = std::move(socket);
  far_ = far;
  socket_->add(far_, connection_, shared_from_this());
  events_ = accept(shared_from_this());
  come_up();
}

void udp_link::come_up() {
  if (stage_ != stage::opening) return;
  stage_ = stage::up;
  if (closing_) return begin_drain();
  go_on();
}

void udp_link::say(datagram::kind what) {
  datagram d;
  d.what = what;
  d.connection = connection_;
  socket_->send(d, far_);
}

void udp_link::received(const datagram& d) {
  if (stage_ == stage::ended) return;
  last_heard_ = clock::now();
  switch (d.what) {
    case datagram::kind::open:
      if (accepted_) say(datagram::kind::opened);
      return;
    case datagram::kind::unknown:
      return finish(stage_ == stage::draining ? close_reason::closed_here : close_reason::broken);
    case datagram::kind::opened:
      return come_up();
    case datagram::kind::piece:
    case datagram::kind::last:
      heard_piece_ = true;
      stream_.received(d, stream_time(last_heard_));
      deliver();
      come_up();
      return go_on();
  }
}

void udp_link::deliver() {
  while (auto f = stream_.take()) {
    ++core_->counters.frames_in;
    if (events_.received && !closing_) events_.received(std::move(*f));
  }
}

void udp_link::take_pending() {
  const std::lock_guard lock(mutex_);
  flush_posted_ = false;
  for (const auto& f : pending_) {
    stream_.send(f);
    ++core_->counters.frames_out;
  }
  pending_.clear();
  pending_bytes_ = 0;
  in_stream_ = stream_.waiting_bytes();
}

/// Whatever there is to do now: everything that happens to a link ends here.
void udp_link::go_on() {
  if (stage_ == stage::ended || !socket_) return;
  const auto now = clock::now();
  if (stage_ == stage::opening) {
    if (now >= next_open_) {
      next_open_ = now + open_again;
      say(datagram::kind::open);
    }
    return arm();
  }
  take_pending();
  if (stage_ == stage::draining) stream_.finish();
  while (const auto d = stream_.next(stream_time(now))) {
    core_->counters.bytes_out += datagram::head_bytes + d->piece.size();
    socket_->send(*d, far_);
    if (stage_ == stage::ended) return;
  }
  in_stream_ = stream_.waiting_bytes();
  if (stream_.refused()) return finish(close_reason::too_long);
  if (stream_.ended())
    return finish(stage_ == stage::draining ? close_reason::closed_here : close_reason::closed_there);
  if (stage_ == stage::draining && stream_.all_acknowledged()) return finish(close_reason::closed_here);
  arm();
}

bool udp_link::too_late(clock::time_point now) {
  const auto& o = core_->options;
  switch (stage_) {
    case stage::opening:
      return now - began_ >= o.connect_bound;
    case stage::up:
      // Who said no more than that it is there is soon forgotten.
      if (accepted_ && !heard_piece_) return now - began_ >= o.connect_bound;
      return o.silence_bound.count() > 0 && now - last_heard_ >= o.silence_bound;
    case stage::draining:
      return now - began_ >= o.drain_bound;
    case stage::ended:
      break;
  }
  return false;
}

void udp_link::arm() {
  if (stage_ == stage::ended) return;
  auto due = clock::now() + std::chrono::milliseconds{100};
  if (const auto next = stream_.due()) due = std::min(due, clock::time_point{} + *next);
  timer_.expires_after(std::max<clock::duration>(due - clock::now(), std::chrono::milliseconds{1}));
  timer_.async_wait([self = shared_from_this()](const std::error_code& error) {
    if (error || self->stage_ == stage::ended) return;
    if (self->too_late(clock::now()))
      return self->finish(self->stage_ == stage::draining ? close_reason::closed_here
                                                          : close_reason::timed_out);
    self->socket_ ? self->go_on() : self->arm();
  });
}

void udp_link::begin_drain() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  if (stage_ == stage::ended || stage_ == stage::draining) return;
  if (stage_ == stage::opening) return finish(close_reason::closed_here);
  stage_ = stage::draining;
  began_ = clock::now();
  go_on();
}

void udp_link::finish(close_reason why) {
  if (std::exchange(stage_, stage::ended) == stage::ended) return;
  timer_.cancel();
  resolver_.cancel();
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    core_->counters.frames_unsent += pending_.size();
    pending_.clear();
  }
  --core_->links;
  --core_->counters.open;
  ++core_->counters.closed[static_cast<std::size_t>(why)];
  if (socket_) std::exchange(socket_, nullptr)->remove(far_, connection_);
  auto events = std::exchange(events_, {});
  if (events.closed) events.closed(why);
}

}  // namespace tenure::transport
