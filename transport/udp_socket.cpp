#include <string>
#include <utility>

#include "transport/udp_link.hpp"

namespace tenure::transport {

udp_socket::udp_socket(std::shared_ptr<udp_core> core, asio::ip::udp::socket socket, acceptor accept)
    : core_(std::move(core)), socket_(std::move(socket)), accept_(std::move(accept)) {
  std::error_code ignored;
  socket_.non_blocking(true, ignored);
}

void udp_socket::add(const endpoint& far, std::uint64_t connection, std::shared_ptr<udp_link> link) {
  links_.emplace(std::pair{far, connection}, std::move(link));
}

void udp_socket::remove(const endpoint& far, std::uint64_t connection) {
  links_.erase({far, connection});
  if (!links_.empty() || (accept_ && !closed_)) return;
  std::error_code ignored;
  socket_.close(ignored);
}

std::vector<std::shared_ptr<udp_link>> udp_socket::links() const {
  std::vector<std::shared_ptr<udp_link>> all;
  for (const auto& [key, link] : links_) all.push_back(link);
  return all;
}

void udp_socket::send(const datagram& d, const endpoint& far) {
  const auto bytes = d.encode();
  std::error_code lost;
  if (accept_)
    socket_.send_to(asio::buffer(bytes), far, 0, lost);
  else
    socket_.send(asio::buffer(bytes), 0, lost);
  if (lost) ++core_->counters.datagrams_unsent;
}

void udp_socket::close() {
  closed_ = true;
  if (!links_.empty()) return;
  std::error_code ignored;
  socket_.close(ignored);
}

void udp_socket::receive() {
  socket_.async_receive_from(asio::buffer(buffer_), from_,
                             [self = shared_from_this()](const std::error_code& error, std::size_t bytes) {
                               if (!self->socket_.is_open()) return;
                               if (!error) self->received(std::span(self->buffer_).first(bytes));
                               // A dialed link's other end says that nobody is there.
                               if (error == asio::error::connection_refused && !self->accept_)
                                 for (const auto& link : self->links()) link->finish(close_reason::refused);
                               if (self->socket_.is_open()) self->receive();
                             });
}

void udp_socket::received(std::span<const std::byte> bytes) {
  ++core_->counters.reads;
  core_->counters.bytes_in += bytes.size();
  const auto d = datagram::decode(bytes);
  if (!d) {
    ++core_->counters.datagrams_unreadable;
    return;
  }
  if (const auto it = links_.find({from_, d->connection}); it != links_.end()) {
    const auto link = it->second;
    return link->received(*d);
  }
  if (d->what == datagram::kind::open) return open(*d);
  // It is no larger than what it answers, so nobody is flooded by it.
  if (d->what == datagram::kind::piece || d->what == datagram::kind::last) {
    datagram answer;
    answer.what = datagram::kind::unknown;
    answer.connection = d->connection;
    send(answer, from_);
  }
}

void udp_socket::open(const datagram& d) {
  if (!accept_ || closed_) return;
  if (core_->links >= core_->options.max_links) {
    ++core_->counters.turned_away;
    return;
  }
  const auto host = from_.address().to_string();
  auto link = std::make_shared<udp_link>(
      core_,
      "udp:" + (from_.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(from_.port()),
      d.connection);
  ++core_->counters.accepted;
  link->start_accepted(shared_from_this(), from_, accept_);
  link->received(d);
}

}  // namespace tenure::transport
