#include "transport/asio_transport.hpp"

#include <mutex>
#include <thread>
#include <utility>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

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
  auto made = std::make_shared<asio_link>(core, asio::ip::tcp::socket(core->io), address);
  std::lock_guard lock(parts_->mutex);
  if (parts_->stopped) {
    made->bury();
    return made;
  }
  ++core->counters.dialed;
  asio::post(core->io, [made, where = parse_host_port(address), e = std::move(events)]() mutable {
    made->start_dial(where, std::move(e));
  });
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
  auto resolver = std::make_shared<asio::ip::tcp::resolver>(core->io);
  resolver->async_resolve(
      where->host, std::to_string(where->port),
      [resolver, address, done = std::move(done)](std::error_code failed, const auto& found) {
        std::vector<std::string> all;
        if (!failed)
          for (const auto& entry : found) {
            const auto at = entry.endpoint();
            const auto host = at.address().to_string();
            all.push_back((at.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(at.port()));
          }
        if (all.empty()) all.push_back(address);
        done(std::move(all));
      });
}

outcome<std::uint16_t> asio_transport::listen(const std::string& address, acceptor accept) {
  auto core = parts_->core;
  auto where = endpoint_of(core->io, address);
  if (!where) return tl::unexpected(where.error());
  asio::ip::tcp::acceptor socket(core->io);
  std::error_code error;
  socket.open(where->protocol(), error);
  // Connections of an earlier run that linger in TIME_WAIT do not hold the port; a listener still does.
  if (!error) socket.set_option(asio::ip::tcp::acceptor::reuse_address(true), error);
  if (!error) socket.bind(*where, error);
  if (!error) socket.listen(asio::ip::tcp::acceptor::max_listen_connections, error);
  if (error) return cannot_listen(address, error);
  auto port = socket.local_endpoint(error).port();
  auto listener = std::make_shared<asio_listener>(core, std::move(socket), std::move(accept));
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
