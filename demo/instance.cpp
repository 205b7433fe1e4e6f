#include "demo/instance.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <netinet/in.h>
#include <poll.h>
#include <random>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "demo/clock.hpp"
#include "demo/conversation.hpp"
#include "demo/directory.hpp"
#include "demo/socket_address.hpp"
#include "demo/truth_message.hpp"

namespace tenure::demo {
namespace {

constexpr std::size_t max_calls = 64;     // that a client has open at once
constexpr std::size_t max_answers = 256;  // that a server has open at once
constexpr int backlog = 256;

class instance {
 public:
  instance(int control, directory d) : control_(control), directory_(std::move(d)) {}

  int run() {
    while (!done_) {
      const int ready = wait();
      if (ready < 0 && errno != EINTR) return 1;
      if (ready > 0 && polled_[0].revents != 0) obey();
      if (done_) break;
      serve();
    }
    return 0;
  }

 private:
  int wait() {
    polled_.clear();
    polled_.push_back({control_, POLLIN, 0});
    for (const auto& l : listeners_) polled_.push_back({l.get(), POLLIN, 0});
    first_conversation_ = polled_.size();
    nanos due = live_ ? next_call_ : time_max;
    for (const auto& c : conversations_) {
      polled_.push_back({c->descriptor(), c->wants(), 0});
      due = std::min(due, c->due());
    }
    int timeout = -1;  // idle: the fleet's word, or its end, wakes us
    if (due != time_max) {
      timeout = static_cast<int>(std::clamp<nanos>((due - boot_time()) / millisecond + 1, 0, 1000));
    }
    return ::poll(polled_.data(), polled_.size(), timeout);
  }

  void obey() {
    instance_command command;
    const ssize_t size = ::recv(control_, &command, sizeof(command), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size != static_cast<ssize_t>(sizeof(command))) {
      done_ = true;  // the fleet is gone
      return;
    }
    switch (command.kind) {
      case instance_command::what::go:
        begin(command);
        break;
      case instance_command::what::call:
        if (live_) call(command.slot, true);
        break;
      case instance_command::what::drain:
        drain();
        break;
    }
  }

  void begin(const instance_command& go) {
    go_ = go;
    pool_ = std::make_unique<pool>(go.subnet, go.slots);
    random_.seed(go.seed);
    // Real programs do both: one socket for both families, whose IPv4 peers look IPv6-mapped, or one for
    // each.
    if (go.self % 2 == 1) {
      listen_on(AF_INET6, false);
    } else {
      listen_on(AF_INET6, true);
      listen_on(AF_INET, false);
    }
    live_ = true;
    next_call_ = boot_time() + pause();
  }

  void listen_on(int family, bool only_v6) {
    unique_fd s{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    const int yes = 1;
    const int only = only_v6 ? 1 : 0;
    ::setsockopt(s.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (family == AF_INET6) ::setsockopt(s.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
    const socket_address any = socket_address::any(family, service_port);
    if (::bind(s.get(), any.get(), any.size()) == 0 && ::listen(s.get(), backlog) == 0) {
      listeners_.push_back(std::move(s));
    }
  }

  void serve() {
    const nanos now = boot_time();
    // Only those that were polled: what a command or accept added since waits for the next round.
    for (std::size_t i = 0; first_conversation_ + i < polled_.size(); ++i) {
      auto& c = conversations_[i];
      const short events = polled_[first_conversation_ + i].revents;
      if (events == 0 && now < c->due()) continue;
      const instance_id before = c->peer();
      const auto fate = c->advance(events, now);
      if (c->peer() != before) tell(truth_message::what::peer_known, *c);
      if (fate == conversation::fate::ended) tell(truth_message::what::ended, *c);
    }
    std::erase_if(conversations_, [](const auto& c) { return c->descriptor() < 0; });
    for (std::size_t i = 1; i < first_conversation_; ++i) {
      if ((polled_[i].revents & POLLIN) != 0) accept_from(polled_[i].fd);
    }
    while (live_ && boot_time() >= next_call_) {
      next_call_ += pause();
      if (const auto target = choose()) call(*target, false);
    }
  }

  void accept_from(int listener) {
    while (conversations_.size() < max_answers + max_calls) {
      socket_address from;
      unique_fd s{::accept4(listener, from.put(), from.put_size(), SOCK_NONBLOCK | SOCK_CLOEXEC)};
      if (!s) return;
      socket_address here;
      ::getsockname(s.get(), here.put(), here.put_size());
      const connection_tuple t{from.host(), here.host(), from.port(), here.port()};
      add(std::move(s), side::server, t, boot_time());
    }
  }

  /// Some other instance of a workload that ours calls, if the directory knows one.
  std::optional<slot_index> choose() {
    const auto calls = catalogue()[go_.workload].calls;
    const workload_index callee = calls[random_() % calls.size()];
    std::vector<slot_index> there;
    for (slot_index s = 0; s < go_.slots; ++s) {
      if (s != go_.slot && directory_.at(s) == callee) there.push_back(s);
    }
    if (there.empty()) return std::nullopt;
    return there[random_() % there.size()];
  }

  void call(slot_index to, bool must) {
    const auto own =
        static_cast<std::size_t>(std::count_if(conversations_.begin(), conversations_.end(),
                                               [](const auto& c) { return c->side() == side::client; }));
    if (to == go_.slot || (own >= max_calls && !must) || own >= 2 * max_calls) return;
    const bool v6 = random_() % 2 == 0;
    const address target = v6 ? pool_->v6(to) : pool_->v4(to);
    unique_fd s{::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    const socket_address there{target, service_port, v6};
    const nanos now = boot_time();
    // Refused at once means that no segment was sent, and no connection ever was.
    if (!s || (::connect(s.get(), there.get(), there.size()) != 0 && errno != EINPROGRESS)) return;
    socket_address here;
    ::getsockname(s.get(), here.put(), here.put_size());
    auto& c = add(std::move(s), side::client, {here.host(), target, here.port(), service_port}, now);
    c.intend(intent(now), "fleet");
  }

  /// Most connections are short; some stay for a while, and a few for seconds, over hand-overs too.
  conversation::intent intent(nanos now) {
    const auto draw = random_() % 100;
    if (draw < 82) return {1, 0, now + 8 * second};
    if (draw < 95)
      return {2 + static_cast<std::uint32_t>(random_() % 4), 100 * millisecond, now + 8 * second};
    return {5 + static_cast<std::uint32_t>(random_() % 6), 700 * millisecond, now + 9 * second};
  }

  nanos pause() {
    std::exponential_distribution<double> d(std::max(1U, go_.calls_per_second));
    return static_cast<nanos>(d(random_) * static_cast<double>(second));
  }

  conversation& add(unique_fd s, side which, const connection_tuple& t, nanos at) {
    conversations_.push_back(
        std::make_unique<conversation>(std::move(s), which, t, next_number_++, go_.self, at));
    tell(truth_message::what::opened, *conversations_.back(), at);
    return *conversations_.back();
  }

  void tell(truth_message::what kind, const conversation& c, nanos at = 0) {
    const connection_tuple& t = c.tuple();
    truth_message m;
    m.kind = kind;
    m.side = c.side();
    m.client_port = t.client_port;
    m.server_port = t.server_port;
    m.error = static_cast<std::uint16_t>(c.error());
    m.connection = c.number();
    m.peer = c.peer();
    m.client = t.client.bytes();
    m.server = t.server.bytes();
    m.at = at != 0 ? at : boot_time();
    send(m);
  }

  void send(const truth_message& m) {
    while (::send(control_, &m, sizeof(m), MSG_NOSIGNAL) < 0) {
      if (errno == EINTR) continue;
      done_ = true;  // nobody to tell the truth to
      return;
    }
  }

  void drain() {
    listeners_.clear();
    for (const auto& c : conversations_) tell(truth_message::what::ended, *c);
    conversations_.clear();
    truth_message m;
    m.kind = truth_message::what::drained;
    send(m);
    done_ = true;
  }

  int control_;
  directory directory_;
  instance_command go_;
  std::unique_ptr<pool> pool_;
  std::mt19937_64 random_;
  std::vector<unique_fd> listeners_;
  std::vector<std::unique_ptr<conversation>> conversations_;
  std::vector<pollfd> polled_;  // the fleet's word, listeners, conversations
  std::size_t first_conversation_ = 1;
  std::uint32_t next_number_ = 1;
  nanos next_call_ = 0;
  bool live_ = false;
  bool done_ = false;
};

}  // namespace

int run_instance(int control, int directory_memory) {
  auto d = directory::attach(unique_fd{directory_memory});
  if (!d) return 3;
  return instance(control, std::move(*d)).run();
}

}  // namespace tenure::demo
