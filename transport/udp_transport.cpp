#include "transport/udp_transport.hpp"

#include <mutex>
#include <sys/random.h>
#include <thread>
#include <utility>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

#include "ownership/invariant.hpp"
#include "transport/udp_link.hpp"

namespace tenure::transport {
namespace {

/// Nobody who does not see the datagrams can guess it.
std::uint64_t draw_connection() {
  std::uint64_t n = 0;
  invariant(::getrandom(&n, sizeof n, 0) == sizeof n, "the system has random numbers");
  return n;
}

outcome<asio::ip::udp::socket> bound(asio::io_context& io, const std::string& address) {
  const auto where = parse_host_port(address);
  if (!where) return tl::unexpected(where.error());
  std::error_code error;
  const auto numeric = asio::ip::make_address(where->host, error);
  if (error) return fail(trouble::usage, "cannot listen on udp:" + address + ": expected an IP address");
  asio::ip::udp::socket socket(io);
  const asio::ip::udp::endpoint endpoint(numeric, where->port);
  socket.open(endpoint.protocol(), error);
  if (!error) socket.bind(endpoint, error);
  if (error) return fail(trouble::refused, "cannot listen on udp:" + address + ": " + error.message());
  return socket;
}

}  // namespace

struct udp_transport::parts {
  explicit parts(const asio_options& options)
      : core(std::make_shared<udp_core>(options)),
        work(core->io.get_executor()),
        thread([c = core] { c->io.run(); }) {}

  std::shared_ptr<udp_core> core;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::thread thread;

  std::mutex mutex;  // orders dial and listen before stop, or after it
  std::vector<std::shared_ptr<udp_socket>> listeners;
  std::vector<std::weak_ptr<udp_link>> dialed;
  bool stopped = false;
  std::mutex stopping;
};

udp_transport::udp_transport(const asio_options& options) : parts_(std::make_unique<parts>(options)) {}

udp_transport::~udp_transport() {
  stop();
}

link_ptr udp_transport::dial(const std::string& address, link_events events) {
  auto core = parts_->core;
  auto made = std::make_shared<udp_link>(core, address, draw_connection());
  const std::lock_guard lock(parts_->mutex);
  if (parts_->stopped) {
    made->bury();
    return made;
  }
  std::erase_if(parts_->dialed, [](const auto& weak) { return weak.expired(); });
  parts_->dialed.push_back(made);
  ++core->counters.dialed;
  asio::post(core->io, [made, where = udp_address(address).value_or(address),
                        e = std::move(events)]() mutable { made->start_dial(where, std::move(e)); });
  return made;
}

outcome<std::uint16_t> udp_transport::listen(const std::string& address, acceptor accept) {
  auto core = parts_->core;
  auto socket = bound(core->io, udp_address(address).value_or(address));
  if (!socket) return tl::unexpected(socket.error());
  const auto port = socket->local_endpoint().port();
  auto made = std::make_shared<udp_socket>(core, std::move(*socket), std::move(accept));
  const std::lock_guard lock(parts_->mutex);
  if (parts_->stopped) return fail(trouble::refused, "cannot listen on " + address + ": stopping");
  parts_->listeners.push_back(made);
  asio::post(core->io, [made] { made->start(); });
  return port;
}

void udp_transport::stop() {
  const std::lock_guard one_at_a_time(parts_->stopping);
  {
    const std::lock_guard lock(parts_->mutex);
    if (std::exchange(parts_->stopped, true)) return;
    asio::post(parts_->core->io,
               [listeners = std::move(parts_->listeners), dialed = std::move(parts_->dialed)] {
                 for (const auto& l : listeners) {
                   for (const auto& link : l->links()) link->begin_drain();
                   l->close();
                 }
                 for (const auto& weak : dialed)
                   if (const auto link = weak.lock()) link->begin_drain();
               });
  }
  parts_->work.reset();
  parts_->thread.join();
}

const transport_counters& udp_transport::counters() const {
  return parts_->core->counters;
}

std::optional<std::string> udp_address(const std::string& address) {
  constexpr std::string_view scheme = "udp:";
  if (!address.starts_with(scheme)) return std::nullopt;
  return address.substr(scheme.size());
}

}  // namespace tenure::transport
