#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "sim/fleet.hpp"
#include "sim/options.hpp"
#include "sim/records.hpp"
#include "sim/segment.hpp"
#include "sim/socket.hpp"

namespace tenure::sim {

/// Judges what a kernel's stamps say of a socket; replaced where a test plants a mistake.
struct stamp_rules {
  bool reset_counts_as_received = false;
  bool challenge_counts_as_received = false;
  bool transit_is_zero = false;
  nanos card_delay = 0;  ///< after a pause, until a guest's card hands over what it kept
};

/// The instances' connections, segment by segment: SYNs and their retries, requests, replies, half-open ends,
/// resets and challenge ACKs from the next owner of an address. Flows' stamps come out of that, as a kernel
/// would have them.
class traffic final : public tenant_listener {
 public:
  traffic(surroundings& around, const traffic_options& options, fleet& tenants,
          std::vector<std::unique_ptr<host>>& hosts, stamp_rules rules = {});

  /// No new connections; what is open goes on to its end.
  void stop() { stopped_ = true; }

  const socket_records& records() const { return records_; }
  /// To connect, made or not.
  std::uint64_t attempts() const { return attempts_; }

  /// A new agent finds the sockets that are open on its host.
  void agent_started(host_id where);

  void ready(instance_id who) override;
  void closing(instance_id who) override;
  void killed(instance_id who) override;

 private:
  using number = std::uint64_t;

  void connect_soon(instance_id who);
  void connect(instance_id who);
  void datagrams(instance_id who, address to);
  void end_datagrams(instance_id who, address to, nanos opened);
  address pick_address(instance_id who);

  nanos wait(nanos mean) { return draw_.exponential(mean); }
  void arm(connection& c, tcp_socket& s, nanos after);
  void on_timer(number n, instance_id owner, std::uint64_t timer);
  void client_timer(connection& c, tcp_socket& s);
  void server_timer(connection& c, tcp_socket& s);

  void transmit(segment s);
  void send_to_server(connection& c, segment_kind kind);
  void send_to_client(connection& c, tcp_socket& from, segment_kind kind);
  void arrive(const segment& s);
  void arrive_at_paused(instance_id me, const segment& s);
  void at_server(connection& c, tcp_socket& s, const segment& in);
  void at_client(connection& c, tcp_socket& s, const segment& in);
  void on_syn(connection& c, instance_id me, const segment& in);
  void stranger(instance_id me, const segment& in);
  void accept(tcp_socket& s);
  void hang_up(connection& c, tcp_socket& s, end_reason why);
  void close_all(instance_id who, bool say_so);

  void record(const connection& c, const tcp_socket& s, end_reason why);
  void hand_over(socket_record r, agent::observed_flow flow);
  tcp_socket* socket_of(connection& c, instance_id owner, bool server);
  host& host_of(instance_id who) { return *hosts_[around_.truth.of(who).host]; }

  surroundings& around_;
  traffic_options options_;
  fleet& tenants_;
  std::vector<std::unique_ptr<host>>& hosts_;
  stamp_rules rules_;
  random draw_;
  std::unordered_map<number, connection> open_;
  std::vector<std::vector<number>> by_instance_;  ///< connections that an instance has, or had
  socket_records records_;
  number next_ = 1;
  std::uint64_t attempts_ = 0;
  bool stopped_ = false;
};

}  // namespace tenure::sim
