#include "transport/asio_transport.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <asio/executor_work_guard.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include "ownership/invariant.hpp"
#include "transport/asio_link.hpp"
#include "transport/asio_listener.hpp"

namespace tenure::transport {

namespace {

tl::unexpected<failure> cannot_listen(const std::string& address, const std::error_code& error) {
  auto text = "cannot listen on " + address + ": " + error.message();
  if (error == asio::error::address_in_use) text += "; stop what listens there, or choose another port";
  return fail(trouble::refused, text);
}

outcome<asio::ip::tcp::endpoint> endpoint_of(asio::io_context& io, const std::string& address) {
  auto where = parse_host_port(address);
  if (!where) return tl::unexpected(where.error());
  std::error_code error;
  auto numeric = asio::ip::make_address(where->host, error);
  if (!error) return asio::ip::tcp::endpoint(numeric, where->port);
  asio::ip::tcp::resolver resolver(io);
  auto found = resolver.resolve(where->host, std::to_string(where->port), error);
  if (error || found.empty()) {
    return fail(trouble::usage,
                "cannot listen on " + address + ": no such host; give an address of this one");
  }
  return found.begin()->endpoint();
}

std::vector<std::string> addresses_of(const asio::ip::tcp::resolver::results_type& found) {
  std::vector<std::string> all;
  for (const auto& entry : found) {
    const auto at = entry.endpoint();
    const auto host = at.address().to_string();
    all.push_back((at.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(at.port()));
  }
  return all;
}

outcome<stream_acceptor> listen_on_tcp(asio::io_context& io, const std::string& address) {
  auto where = endpoint_of(io, address);
  if (!where) return tl::unexpected(where.error());
  stream_acceptor socket(io);
  std::error_code error;
  socket.open(where->protocol(), error);
  // Connections of an earlier run that linger in TIME_WAIT do not hold the port; a listener still does.
  if (!error) socket.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) socket.bind(*where, error);
  if (!error) socket.listen(asio::socket_base::max_listen_connections, error);
  if (error) return cannot_listen(address, error);
  return socket;
}

/// Whether somebody listens on a Unix socket: a dead process leaves its file behind.
bool listened_on(asio::io_context& io, const asio::local::stream_protocol::endpoint& where) {
  asio::local::stream_protocol::socket probe(io);
  std::error_code error;
  probe.connect(where, error);
  return !error;
}

outcome<stream_acceptor> listen_locally(asio::io_context& io, const std::string& path) {
  const std::string address = "unix:" + path;
  if (path.empty() || path.size() > longest_unix_path)
    return fail(trouble::usage, "cannot listen on " + address + ": expected a path of 1 to 107 bytes");
  const asio::local::stream_protocol::endpoint where(path);
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode)) {
    if (listened_on(io, where)) return cannot_listen(address, asio::error::address_in_use);
    ::unlink(path.c_str());
  }
  stream_acceptor socket(io);
  std::error_code error;
  socket.open(where.protocol(), error);
  if (!error) socket.bind(where, error);
  // Who may be here is asked of the kernel for each connection, so the file is open to all.
  if (!error && ::chmod(path.c_str(), 0666) != 0) error = std::error_code(errno, std::generic_category());
  if (!error) socket.listen(asio::socket_base::max_listen_connections, error);
  if (error) return cannot_listen(address, error);
  return socket;
}

}  // namespace

struct asio_transport::parts {
  explicit parts(const asio_options& options)
      : core(std::make_shared<asio_core>(options)),
        work(core->io.get_executor()),
        thread([c = core] { c->io.run(); }) {}

  std::shared_ptr<asio_core> core;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::thread thread;

  std::mutex mutex;  // orders dial and listen before stop, or after it
  std::vector<std::shared_ptr<asio_listener>> listeners;
  bool stopped = false;
  std::mutex stopping;
};

asio_transport::asio_transport(const asio_options& options) : parts_(std::make_unique<parts>(options)) {}

asio_transport::~asio_transport() {
  stop();
}

link_ptr asio_transport::dial(const std::string& address, link_events events) {
  auto core = parts_->core;
  auto made = std::make_shared<asio_link>(core, stream_socket(core->io), address);
  std::lock_guard lock(parts_->mutex);
  if (parts_->stopped) {
    made->bury();
    return made;
  }
  ++core->counters.dialed;
  asio::post(core->io,
             [made, address, e = std::move(events)]() mutable { made->start_dial(address, std::move(e)); });
  return made;
}

void asio_transport::resolve(const std::string& address, std::function<void(std::vector<std::string>)> done) {
  auto where = parse_host_port(address);
  std::error_code error;
  if (where) asio::ip::make_address(where->host, error);
  if (!where || !error) return done({address});
  auto core = parts_->core;
  std::lock_guard lock(parts_->mutex);
  if (parts_->stopped) return;
  struct question {
    explicit question(asio::io_context& io) : resolver(io), timer(io) {}
    asio::ip::tcp::resolver resolver;
    asio::steady_timer timer;
    bool answered = false;
  };
  auto q = std::make_shared<question>(core->io);
  // The system's resolver may think for as long as it likes; what waits for several names does not.
  auto answer = [q, done = std::move(done)](std::vector<std::string> all) {
    if (std::exchange(q->answered, true)) return;
    q->timer.cancel();
    done(std::move(all));
  };
  q->timer.expires_after(core->options.resolve_bound);
  q->timer.async_wait([answer, address](std::error_code cancelled) {
    if (!cancelled) answer({address});
  });
  q->resolver.async_resolve(where->host, std::to_string(where->port),
                            [answer, address](std::error_code failed, const auto& found) {
                              auto all = failed ? std::vector<std::string>{} : addresses_of(found);
                              if (all.empty()) all.push_back(address);
                              answer(std::move(all));
                            });
}

outcome<std::uint16_t> asio_transport::listen(const std::string& address, acceptor accept) {
  auto core = parts_->core;
  const auto path = unix_path(address);
  auto socket = path ? listen_locally(core->io, *path) : listen_on_tcp(core->io, address);
  if (!socket) return tl::unexpected(socket.error());
  std::uint16_t port = 0;
  if (!path) {
    asio::ip::tcp::endpoint local;
    const auto bound = socket->local_endpoint();
    std::memcpy(local.data(), bound.data(), std::min(bound.size(), local.capacity()));
    port = local.port();
  }
  auto listener =
      std::make_shared<asio_listener>(core, std::move(*socket), std::move(accept), path.value_or(""));
  std::lock_guard lock(parts_->mutex);
  if (parts_->stopped) return fail(trouble::refused, "cannot listen on " + address + ": stopping");
  parts_->listeners.push_back(listener);
  asio::post(core->io, [listener] { listener->start(); });
  return port;
}

void asio_transport::stop() {
  invariant(std::this_thread::get_id() != parts_->thread.get_id(),
            "a transport is not stopped by its own thread");
  std::lock_guard one_at_a_time(parts_->stopping);
  {
    std::lock_guard lock(parts_->mutex);  // let go before the wait: what is called meanwhile may dial
    if (std::exchange(parts_->stopped, true)) return;
    asio::post(parts_->core->io, [core = parts_->core, listeners = std::move(parts_->listeners)] {
      for (const auto& l : listeners) l->close();
      auto links = core->links;  // ending takes a link out
      for (const auto& l : links) l->begin_drain();
    });
  }
  parts_->work.reset();
  parts_->thread.join();
}

const transport_counters& asio_transport::counters() const {
  return parts_->core->counters;
}

std::unique_ptr<asio_transport> make_asio_transport(const asio_options& options) {
  return std::make_unique<asio_transport>(options);
}

}  // namespace tenure::transport
