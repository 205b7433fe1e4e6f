#include "demo/conversation.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <utility>

#include "demo/http_text.hpp"

namespace tenure::demo {
namespace {

constexpr nanos server_patience = 3 * second;
constexpr std::size_t response_size = 900;
constexpr std::size_t max_unread = 64U << 10;

}  // namespace

conversation::conversation(unique_fd socket, demo::side s, const connection_tuple& tuple,
                           std::uint32_t number, instance_id self, nanos now)
    : socket_(std::move(socket)),
      side_(s),
      tuple_(tuple),
      number_(number),
      self_(self),
      connecting_(s == demo::side::client),
      idle_until_(now + server_patience) {}

void conversation::intend(intent i, std::string host) {
  intent_ = i;
  host_ = std::move(host);
}

short conversation::wants() const {
  return static_cast<short>(POLLIN | (connecting_ || !out_.empty() ? POLLOUT : 0));
}

nanos conversation::due() const {
  if (side_ == demo::side::server) return idle_until_;
  if (connecting_ || waiting_) return intent_.give_up;
  return std::min(intent_.give_up, next_request_);
}

conversation::fate conversation::end(int error) {
  error_ = error;
  socket_.reset();
  return fate::ended;
}

void conversation::say_next() {
  out_ += format_request(host_, self_);
  waiting_ = true;
  --intent_.requests;
}

conversation::fate conversation::advance(short events, nanos now) {
  if (connecting_ && (events & (POLLOUT | POLLERR | POLLHUP)) != 0) {
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return end(error);
    connecting_ = false;
    say_next();
  }
  if (!connecting_ && (events & (POLLIN | POLLERR | POLLHUP)) != 0) {
    const fate reading = read_all();
    const fate taking = take_messages(now);  // also what came before the end: it says who the other end was
    if (reading == fate::ended || taking == fate::ended) return fate::ended;
  }
  if (side_ == demo::side::client && !connecting_ && !waiting_ && now >= next_request_) say_next();
  if (!connecting_ && !out_.empty() && write_all() == fate::ended) return fate::ended;
  if (side_ == demo::side::client && now >= intent_.give_up) return end(ETIMEDOUT);
  if (side_ == demo::side::server && now >= idle_until_) return end(ETIMEDOUT);
  return fate::goes_on;
}

conversation::fate conversation::read_all() {
  std::array<char, 4096> chunk;
  for (;;) {
    const ssize_t size = ::recv(socket_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (size > 0) {
      in_.append(chunk.data(), static_cast<std::size_t>(size));
      if (in_.size() > max_unread) return end(EMSGSIZE);
      continue;
    }
    if (size == 0) return end(0);
    if (errno == EINTR) continue;
    return errno == EAGAIN ? fate::goes_on : end(errno);
  }
}

conversation::fate conversation::take_messages(nanos now) {
  for (;;) {
    http_head head;
    const auto state = parse_head(in_, head);
    if (state == head_state::malformed) return end(EPROTO);
    if (state == head_state::incomplete || in_.size() < head.length + head.content_length)
      return fate::goes_on;
    in_.erase(0, head.length + head.content_length);
    peer_ = head.from;
    if (side_ == demo::side::server) {
      out_ += format_response(self_, response_size);
      idle_until_ = now + server_patience;
      continue;
    }
    waiting_ = false;
    if (intent_.requests == 0) return end(0);
    next_request_ = now + intent_.think;
  }
}

conversation::fate conversation::write_all() {
  while (!out_.empty()) {
    const ssize_t size = ::send(socket_.get(), out_.data(), out_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size > 0) {
      out_.erase(0, static_cast<std::size_t>(size));
      continue;
    }
    if (errno == EINTR) continue;
    return errno == EAGAIN ? fate::goes_on : end(errno);
  }
  return fate::goes_on;
}

}  // namespace tenure::demo
