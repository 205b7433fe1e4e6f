#include "transport/asio_link.hpp"

#include <span>
#include <utility>

#include <asio/connect.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>

#include "ownership/invariant.hpp"

namespace tenure::transport {

namespace {

close_reason why_not_connected(const std::error_code& error) {
  if (error == asio::error::connection_refused || error == asio::error::host_unreachable ||
      error == asio::error::network_unreachable || error == std::errc::no_such_file_or_directory ||
      error == std::errc::permission_denied) {
    return close_reason::refused;
  }
  return error == asio::error::timed_out ? close_reason::timed_out : close_reason::broken;
}

/// With TLS frames are encrypted as they are written, so that what waits is not kept twice.
constexpr std::size_t encrypted_at_a_time = 256U << 10;

std::size_t bytes_on_wire(const frame& f) {
  return 4 + f.size() * sizeof(f[0]);
}

}  // namespace

asio_link::asio_link(std::shared_ptr<asio_core> core, stream_socket socket, std::string peer)
    : core_(std::move(core)),
      peer_(std::move(peer)),
      socket_(std::move(socket)),
      resolver_(core_->io),
      timer_(core_->io) {}

void asio_link::send(frame f) {
  auto bytes = bytes_on_wire(f);
  invariant(bytes <= 4 + max_frame_bytes, "no frame is made longer than max_frame_bytes");
  std::lock_guard lock(mutex_);
  if (closing_) {
    ++core_->counters.frames_unsent;
    return;
  }
  // Posted under the lock: then the handler stands in the queue before the link can end, and the queue is
  // emptied before the transport's thread ends.
  if (queued_bytes_ + bytes > core_->options.queue_bytes) {
    closing_ = true;
    ++core_->counters.frames_unsent;
    asio::post(core_->io, [self = shared_from_this()] { self->finish(close_reason::too_slow); });
    return;
  }
  queued_bytes_ += bytes;
  auto prefix = length_prefix(f);
  pending_.push_back({prefix, std::move(f)});
  if (!std::exchange(flush_posted_, true)) core_->flush_soon(shared_from_this());
}

std::string asio_link::identity() const {
  std::lock_guard lock(mutex_);
  return identity_;
}

void asio_link::close() {
  std::lock_guard lock(mutex_);
  if (closing_.exchange(true)) return;
  asio::post(core_->io, [self = shared_from_this()] { self->begin_drain(); });
}

bool asio_link::close_asked() const {
  return closing_;
}

void asio_link::begin(link_events events) {
  events_ = std::move(events);
  core_->links.insert(shared_from_this());
  ++core_->counters.open;
}

void asio_link::bury() {
  std::lock_guard lock(mutex_);
  closing_ = true;
  stage_ = stage::ended;
}

void asio_link::start_dial(const std::string& to, link_events events) {
  begin(std::move(events));
  arm(core_->options.connect_bound);
  if (const auto path = unix_path(to)) {
    if (path->size() > longest_unix_path) return finish(close_reason::refused);
    return connect({asio::local::stream_protocol::endpoint(*path)});
  }
  const auto where = parse_host_port(to);
  if (!where) return finish(close_reason::refused);
  std::error_code not_numeric;
  auto numeric = asio::ip::make_address(where->host, not_numeric);
  if (!not_numeric) return connect({asio::ip::tcp::endpoint(numeric, where->port)});
  resolver_.async_resolve(where->host, std::to_string(where->port),
                          [self = shared_from_this()](const std::error_code& error, const auto& endpoints) {
                            if (self->stage_ != stage::connecting) return;
                            if (error) return self->finish(close_reason::refused);
                            std::vector<asio::generic::stream_protocol::endpoint> found;
                            for (const auto& entry : endpoints) found.emplace_back(entry.endpoint());
                            self->connect(std::move(found));
                          });
}

void asio_link::connect(std::vector<asio::generic::stream_protocol::endpoint> endpoints) {
  const auto all = std::make_shared<decltype(endpoints)>(std::move(endpoints));  // as long as it takes
  asio::async_connect(socket_, *all,
                      [self = shared_from_this(), all](const std::error_code& error, const auto&) {
                        if (self->stage_ != stage::connecting) return;
                        if (error) return self->finish(why_not_connected(error));
                        self->connected(tls_session::side::dials);
                      });
}

void asio_link::turn_down() {
  begin({});
  if (core_->options.turned_down) core_->options.turned_down(peer_, close_reason::not_allowed);
  finish(close_reason::not_allowed);
}

void asio_link::start_accepted(acceptor accept) {
  begin({});
  accept_ = std::move(accept);
  connected(tls_session::side::accepts);
}

void asio_link::connected(tls_session::side s) {
  std::error_code error;
  socket_.set_option(asio::ip::tcp::no_delay(true),
                     error);  // without it frames only come later; not for Unix
  socket_.non_blocking(true, error);
  if (error) return finish(close_reason::broken);
  // Asio watches no socket that it does not have.
  wire_ = stream_end(socket_.release(error));
  watched_as_ = error ? 0 : core_->watch.add(wire_.handle(), shared_from_this());
  if (watched_as_ == 0) return finish(close_reason::broken);
  if (!core_->options.credentials) return come_up();
  stage_ = stage::securing;
  if (s == tls_session::side::accepts) arm(core_->options.connect_bound);  // who dials has armed it before
  tls_ = std::make_unique<tls_session>(core_->options.credentials->current(), s, core_->options.allowed);
  tls_->feed({});
  flush();
}

void asio_link::come_up() {
  if (tls_) {
    std::lock_guard lock(mutex_);
    identity_ = tls_->identity();
  }
  // Outside the lock: it may ask for our identity, send, or close.
  if (accept_) events_ = std::exchange(accept_, {})(shared_from_this());
  stage_ = stage::up;
  last_heard_ = std::chrono::steady_clock::now();
  arm(core_->options.silence_bound);
  if (close_asked()) return begin_drain();  // it was closed while it was connecting
  flush();
}

void asio_link::arm(std::chrono::milliseconds bound) {
  if (bound == bound.zero()) return static_cast<void>(timer_.cancel());
  timer_.expires_after(bound);
  timer_.async_wait([self = shared_from_this()](const std::error_code& error) {
    // A wait that had ended already when the timer was set anew still comes here.
    if (!error && self->timer_.expiry() <= std::chrono::steady_clock::now()) self->timer_fired();
  });
}

void asio_link::timer_fired() {
  switch (stage_) {
    case stage::connecting:
    case stage::securing:
      return finish(close_asked() ? close_reason::closed_here : close_reason::timed_out);
    case stage::up: {
      auto silent = std::chrono::steady_clock::now() - last_heard_;
      auto bound = core_->options.silence_bound;
      if (silent >= bound) return finish(close_reason::timed_out);
      return arm(std::chrono::ceil<std::chrono::milliseconds>(bound - silent));
    }
    case stage::draining:
      return finish(drains_for_);
    case stage::ended:
      return;
  }
}

void asio_link::readable() {
  std::error_code error;
  const auto bytes = wire_.read(core_->read_buffer, error);
  if (error == std::errc::operation_would_block) return;
  if ((error || bytes == 0) && stage_ == stage::draining) return finish(drains_for_);
  if (error) return finish(close_reason::broken);
  if (bytes == 0) {
    // With TLS the other side says that it ends; one that does not was cut off, by whomever.
    if (tls_) return finish(stage_ == stage::securing ? close_reason::not_tls : close_reason::broken);
    return finish(reader_.within_frame() ? close_reason::truncated : close_reason::closed_there);
  }
  ++core_->counters.reads;
  core_->counters.bytes_in += bytes;
  const auto came = std::span<const std::byte>(core_->read_buffer).first(bytes);
  if (stage_ == stage::up) last_heard_ = std::chrono::steady_clock::now();
  if (tls_ && (stage_ == stage::up || stage_ == stage::securing)) {
    deliver_secured(came);
  } else if (stage_ == stage::up) {
    deliver(came);
    if (reader_.refused()) finish(close_reason::too_long);
  }
}

void asio_link::deliver_secured(std::span<const std::byte> wire) {
  tls_->feed(wire);
  if (stage_ == stage::securing && tls_->established()) come_up();
  while (stage_ == stage::up && !reader_.refused()) {
    const auto bytes = tls_->read(core_->plain_buffer);
    if (bytes == 0) break;
    deliver(std::span<const std::byte>(core_->plain_buffer).first(bytes));
  }
  if (stage_ == stage::ended || stage_ == stage::draining) return;
  if (reader_.refused()) return finish(close_reason::too_long);
  if (tls_->failed()) return refuse(tls_->why());
  if (tls_->ended())
    return finish(reader_.within_frame() ? close_reason::truncated : close_reason::closed_there);
  // What TLS itself has to say piles up where the other side asks and does not read.
  if (tls_->outgoing().size() > core_->options.queue_bytes) return finish(close_reason::too_slow);
  flush();
}

/// Ends it with an alert that says why, and waits a little for the other end to have read it.
void asio_link::refuse(close_reason why) {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  if (stage_ == stage::securing && core_->options.turned_down) core_->options.turned_down(peer_, why);
  accept_ = {};
  drains_for_ = why;
  stage_ = stage::draining;
  arm(core_->options.drain_bound);
  flush();
}

void asio_link::deliver(std::span<const std::byte> rest) {
  while (!close_asked()) {
    auto f = reader_.next(rest);
    if (!f) return;
    ++core_->counters.frames_in;
    if (events_.received) events_.received(std::move(*f));
  }
}

void asio_link::take_pending() {
  std::lock_guard lock(mutex_);
  flush_posted_ = false;
  if (sent_ < sending_.size()) return;
  sending_.clear();
  sending_.swap(pending_);
  sent_ = 0;
}

void asio_link::add_piece(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  pieces_.push_back({const_cast<std::byte*>(bytes.data()), bytes.size()});  // it is only read
}

/// Puts the next write together.
void asio_link::gather() {
  pieces_.clear();
  in_flight_ = 0;
  if (!tls_) {
    for (; in_flight_ < sending_.size(); ++in_flight_) {
      const auto& out = sending_[in_flight_];
      add_piece(out.prefix);
      add_piece(std::as_bytes(std::span(out.body)));
    }
    return;
  }
  if (tls_->established() && !tls_->failed() && stage_ != stage::securing) {
    while (sent_ + in_flight_ < sending_.size() && tls_->outgoing().size() < encrypted_at_a_time) {
      // Together, so that small frames share a record.
      auto& plain = core_->write_buffer;
      for (plain.clear();
           sent_ + in_flight_ < sending_.size() && plain.size() < core_->plain_buffer.size();) {
        const auto& out = sending_[sent_ + in_flight_++];
        const auto body = std::as_bytes(std::span(out.body));
        plain.insert(plain.end(), out.prefix.begin(), out.prefix.end());
        plain.insert(plain.end(), body.begin(), body.end());
      }
      tls_->write(plain);
    }
    if (stage_ == stage::draining && sending_.empty()) tls_->shut();
  }
  encrypted_.clear();
  encrypted_.swap(tls_->outgoing());
  add_piece(encrypted_);
}

void asio_link::flush() {
  if (writing_ || stage_ == stage::connecting || stage_ == stage::ended) return;
  // What is given to send() meanwhile has a flush of its own, so that no link keeps the thread.
  do {
    if (stage_ != stage::securing) take_pending();
    gather();
    unwritten_ = pieces_;
    if (!unwritten_.empty()) {
      write();
    } else if (stage_ == stage::draining && !std::exchange(shut_, true)) {
      // Our end is closed after the last byte, and the other side's is awaited: closing at once, with bytes
      // unread, would reset the connection and could take back what was just sent.
      return wire_.end_writing();
    } else {
      return;
    }
  } while (!writing_ && (sent_ < sending_.size() || stage_ == stage::draining));
}

void asio_link::write() {
  writing_ = true;
  std::error_code error;
  while (!unwritten_.empty() && !error) core_->counters.bytes_out += wire_.write(unwritten_, error);
  if (!error) return written();
  if (error == std::errc::operation_would_block &&
      core_->watch.ask_for_room(watched_as_, wire_.handle(), true))
    return;
  // Not at once: what called may have more to do here, and what came before the break may be read yet.
  asio::post(core_->io, [self = shared_from_this()] {
    self->finish(self->stage_ == stage::draining ? self->drains_for_ : close_reason::broken);
  });
}

void asio_link::writable() {
  if (stage_ == stage::ended || !writing_) return;
  core_->watch.ask_for_room(watched_as_, wire_.handle(), false);
  write();
  flush();
}

void asio_link::written() {
  writing_ = false;
  std::size_t done = 0;
  for (auto left = in_flight_; left > 0; --left) done += bytes_on_wire(sending_[sent_++].body);
  core_->counters.frames_out += std::exchange(in_flight_, 0);
  std::lock_guard lock(mutex_);
  queued_bytes_ -= done;
}

void asio_link::begin_drain() {
  if (stage_ == stage::ended || stage_ == stage::draining) return;
  bool nothing_waits = false;
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
    nothing_waits = queued_bytes_ == 0;
  }
  const bool not_up_yet = stage_ == stage::connecting || stage_ == stage::securing;
  if (not_up_yet && nothing_waits) return finish(close_reason::closed_here);
  arm(core_->options.drain_bound);
  if (not_up_yet) return;
  stage_ = stage::draining;
  flush();
}

void asio_link::finish(close_reason reason) {
  const auto before = std::exchange(stage_, stage::ended);
  if (before == stage::ended) return;
  if (before == stage::securing && reason != close_reason::closed_here && core_->options.turned_down)
    core_->options.turned_down(peer_, reason);
  std::error_code ignored;
  socket_.close(ignored);
  if (watched_as_ != 0) core_->watch.remove(watched_as_, wire_.handle());
  wire_.close();
  timer_.cancel();
  resolver_.cancel();
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
    core_->counters.frames_unsent += pending_.size() + sending_.size() - sent_;
    pending_.clear();
  }
  --core_->counters.open;
  ++core_->counters.closed[static_cast<std::size_t>(reason)];
  accept_ = {};
  auto events = std::exchange(events_, {});
  auto self = shared_from_this();
  core_->links.erase(self);
  if (events.closed) events.closed(reason);
}

}  // namespace tenure::transport
