#include "transport/asio_link.hpp"

#include <span>
#include <utility>

#include <asio/connect.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>

#include "ownership/invariant.hpp"

namespace tenure::transport {

namespace {

close_reason why_not_connected(const std::error_code& error) {
  if (error == asio::error::connection_refused || error == asio::error::host_unreachable ||
      error == asio::error::network_unreachable) {
    return close_reason::refused;
  }
  return error == asio::error::timed_out ? close_reason::timed_out : close_reason::broken;
}

std::size_t bytes_on_wire(const frame& f) {
  return 4 + f.size() * sizeof(f[0]);
}

}  // namespace

asio_link::asio_link(std::shared_ptr<asio_core> core, asio::ip::tcp::socket socket, std::string peer)
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
  if (std::exchange(flush_posted_, true)) return;
  asio::post(core_->io, [self = shared_from_this()] { self->flush(); });
}

void asio_link::close() {
  std::lock_guard lock(mutex_);
  if (std::exchange(closing_, true)) return;
  asio::post(core_->io, [self = shared_from_this()] { self->begin_drain(); });
}

bool asio_link::close_asked() const {
  std::lock_guard lock(mutex_);
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

void asio_link::start_dial(const outcome<host_port>& to, link_events events) {
  begin(std::move(events));
  if (!to) return finish(close_reason::refused);
  const auto& where = *to;
  arm(core_->options.connect_bound);
  std::error_code not_numeric;
  auto numeric = asio::ip::make_address(where.host, not_numeric);
  if (!not_numeric) {
    asio::ip::tcp::endpoint endpoint(numeric, where.port);
    connect(asio::ip::tcp::resolver::results_type::create(endpoint, where.host, ""));
    return;
  }
  resolver_.async_resolve(where.host, std::to_string(where.port),
                          [self = shared_from_this()](const std::error_code& error, const auto& endpoints) {
                            if (self->stage_ != stage::connecting) return;
                            if (error) return self->finish(close_reason::refused);
                            self->connect(endpoints);
                          });
}

void asio_link::connect(const asio::ip::tcp::resolver::results_type& endpoints) {
  asio::async_connect(socket_, endpoints,
                      [self = shared_from_this()](const std::error_code& error, const auto&) {
                        if (self->stage_ != stage::connecting) return;
                        if (error) return self->finish(why_not_connected(error));
                        self->come_up();
                      });
}

void asio_link::start_accepted(link_events events) {
  begin(std::move(events));
  come_up();
}

void asio_link::come_up() {
  std::error_code error;
  socket_.set_option(asio::ip::tcp::no_delay(true), error);  // without it frames only come later
  socket_.non_blocking(true, error);
  if (error) return finish(close_reason::broken);
  stage_ = stage::up;
  last_heard_ = std::chrono::steady_clock::now();
  arm(core_->options.silence_bound);
  wait_readable();
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
      return finish(close_asked() ? close_reason::closed_here : close_reason::timed_out);
    case stage::up: {
      auto silent = std::chrono::steady_clock::now() - last_heard_;
      auto bound = core_->options.silence_bound;
      if (silent >= bound) return finish(close_reason::timed_out);
      return arm(std::chrono::ceil<std::chrono::milliseconds>(bound - silent));
    }
    case stage::draining:
      return finish(close_reason::closed_here);
    case stage::ended:
      return;
  }
}

void asio_link::wait_readable() {
  socket_.async_wait(asio::ip::tcp::socket::wait_read,
                     [self = shared_from_this()](const std::error_code& error) {
                       if (self->stage_ == stage::ended) return;
                       if (error) return self->finish(close_reason::broken);
                       self->on_readable();
                     });
}

void asio_link::on_readable() {
  std::error_code error;
  auto bytes = socket_.read_some(asio::buffer(core_->read_buffer), error);
  if (error == asio::error::would_block || error == asio::error::interrupted) return wait_readable();
  if (error && stage_ == stage::draining) return finish(close_reason::closed_here);
  if (error == asio::error::eof) {
    return finish(reader_.within_frame() ? close_reason::truncated : close_reason::closed_there);
  }
  if (error) return finish(close_reason::broken);
  core_->counters.bytes_in += bytes;
  if (stage_ == stage::up) {
    last_heard_ = std::chrono::steady_clock::now();
    deliver(bytes);
    if (reader_.refused()) return finish(close_reason::too_long);
  }
  wait_readable();
}

void asio_link::deliver(std::size_t bytes) {
  std::span<const std::byte> rest(core_->read_buffer.data(), bytes);
  while (!close_asked()) {
    auto f = reader_.next(rest);
    if (!f) return;
    ++core_->counters.frames_in;
    if (events_.received) events_.received(std::move(*f));
  }
}

void asio_link::flush() {
  if (writing_ || (stage_ != stage::up && stage_ != stage::draining)) return;
  {
    std::lock_guard lock(mutex_);
    flush_posted_ = false;
    sending_.clear();
    sending_.swap(pending_);
  }
  if (sending_.empty()) {
    if (stage_ != stage::draining || std::exchange(shut_, true)) return;
    // Our end is closed after the last byte, and the other side's is awaited: closing at once, with bytes
    // unread, would reset the connection and could take back what was just sent.
    std::error_code gone;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, gone);
    return;
  }
  writing_ = true;
  buffers_.clear();
  for (const auto& out : sending_) {
    buffers_.push_back(asio::buffer(out.prefix));
    if (!out.body.empty()) buffers_.push_back(asio::buffer(out.body));
  }
  asio::async_write(socket_, std::span<const asio::const_buffer>(buffers_),
                    [self = shared_from_this()](const std::error_code& error, std::size_t bytes) {
                      self->written(error, bytes);
                    });
}

void asio_link::written(const std::error_code& error, std::size_t bytes) {
  core_->counters.bytes_out += bytes;
  if (stage_ == stage::ended) return;
  writing_ = false;
  if (error) return finish(stage_ == stage::draining ? close_reason::closed_here : close_reason::broken);
  core_->counters.frames_out += sending_.size();
  {
    std::lock_guard lock(mutex_);
    queued_bytes_ -= bytes;
  }
  flush();
}

void asio_link::begin_drain() {
  if (stage_ == stage::ended || stage_ == stage::draining) return;
  bool nothing_waits = false;
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
    nothing_waits = queued_bytes_ == 0;
  }
  if (stage_ == stage::connecting && nothing_waits) return finish(close_reason::closed_here);
  arm(core_->options.drain_bound);
  if (stage_ == stage::connecting) return;
  stage_ = stage::draining;
  flush();
}

void asio_link::finish(close_reason reason) {
  if (std::exchange(stage_, stage::ended) == stage::ended) return;
  std::error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
  resolver_.cancel();
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
    core_->counters.frames_unsent += pending_.size() + (writing_ ? sending_.size() : 0);
    pending_.clear();
  }
  --core_->counters.open;
  ++core_->counters.closed[static_cast<std::size_t>(reason)];
  auto events = std::exchange(events_, {});
  auto self = shared_from_this();
  core_->links.erase(self);
  if (events.closed) events.closed(reason);
}

}  // namespace tenure::transport
