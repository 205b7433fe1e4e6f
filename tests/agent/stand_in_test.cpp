#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include "bpf/counters.h"
#include "bpf/socket_event.h"
#include "bpf/socket_state.h"
#include "tenure.skel.h"
#include "tests/agent/kernel_world.hpp"

// The kernel leaves a program out that is interrupted on that CPU; its stand-in then does the work. Which of
// the two is left out cannot be arranged, so here each is attached alone, and then both together.
namespace tenure::testing {
namespace {

using agent::file_descriptor;

struct attached {
  const char* name;
  bool first;
  bool stand_in;
};

class StandIn : public ::testing::TestWithParam<attached> {
 protected:
  void SetUp() override {
    const char* without = std::getenv("TENURE_WITHOUT_BPF");
    if (without != nullptr && std::string(without) == "1") GTEST_SKIP() << "TENURE_WITHOUT_BPF=1";
    programs_.reset(::tenure_programs__open_and_load());
    ASSERT_NE(programs_, nullptr);
    if (GetParam().first) first_.reset(::bpf_program__attach(programs_->progs.socket_state_changed));
    if (GetParam().stand_in)
      stand_in_.reset(::bpf_program__attach(programs_->progs.socket_state_changed_unseen));
    ring_.reset(::ring_buffer__new(::bpf_map__fd(programs_->maps.events), take, this, nullptr));
    ASSERT_NE(ring_, nullptr);
  }

  static int take(void* self, void* data, std::size_t) {
    static_cast<StandIn*>(self)->events_.push_back(*static_cast<const tenure_socket_event*>(data));
    return 0;
  }

  /// The events of one namespace; the machine has others.
  std::vector<tenure_socket_event> of(std::uint64_t cookie) {
    ::ring_buffer__consume(ring_.get());
    std::vector<tenure_socket_event> found;
    for (const auto& e : events_) {
      if (e.cookie == cookie) found.push_back(e);
    }
    return found;
  }

  std::uint64_t counted(tenure_counter which) const {
    std::vector<std::uint64_t> per_cpu(static_cast<std::size_t>(::libbpf_num_possible_cpus()));
    const auto key = static_cast<std::uint32_t>(which);
    if (::bpf_map_lookup_elem(::bpf_map__fd(programs_->maps.counters), &key, per_cpu.data()) != 0) return 0;
    std::uint64_t sum = 0;
    for (const auto n : per_cpu) sum += n;
    return sum;
  }

  /// Whether the programs still keep a place for this young socket; a closed one's is anybody's.
  bool has_place(std::uint64_t cookie) const {
    std::vector<std::uint64_t> value(::bpf_map__value_size(programs_->maps.young) / sizeof(std::uint64_t));
    const auto place = static_cast<std::uint32_t>(cookie % ::bpf_map__max_entries(programs_->maps.young));
    if (::bpf_map_lookup_elem(::bpf_map__fd(programs_->maps.young), &place, value.data()) != 0) return true;
    socket_state state{};
    std::memcpy(&state, &value.at(2), sizeof state);  // behind the cookie and the walk
    return value.at(0) == cookie && state.state != TCP_CLOSE;
  }

  static std::uint64_t cookie_of(const file_descriptor& s) {
    std::uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    EXPECT_EQ(::getsockopt(s.get(), SOL_SOCKET, SO_COOKIE, &cookie, &size), 0);
    return cookie;
  }

  std::unique_ptr<tenure_programs, decltype(&::tenure_programs__destroy)> programs_{
      nullptr, ::tenure_programs__destroy};
  std::unique_ptr<bpf_link, int (*)(bpf_link*)> first_{nullptr, ::bpf_link__destroy};
  std::unique_ptr<bpf_link, int (*)(bpf_link*)> stand_in_{nullptr, ::bpf_link__destroy};
  std::unique_ptr<ring_buffer, decltype(&::ring_buffer__free)> ring_{nullptr, ::ring_buffer__free};
  std::vector<tenure_socket_event> events_;
};

TEST_P(StandIn, EachConnectionHasOneEventAtEachEnd) {
  kernel_world world;
  const auto there = endpoint::parse("10.77.0.2:8080").value();
  constexpr std::size_t connections = 20;
  std::size_t places = 0;
  file_descriptor server;
  world.inside("east", [&] { server = listen_on(there); });
  for (std::size_t i = 0; i < connections; ++i) {
    file_descriptor client;
    int result = -1;
    world.inside("west", [&] { result = connect_to(there, client, 0); });
    ASSERT_EQ(result, 0);
    auto accepted = accept_from(server);
    const std::array cookies{cookie_of(client), cookie_of(accepted)};
    for (const auto cookie : cookies) places += has_place(cookie) ? 1U : 0U;
    client = {};
    ASSERT_EQ(receive_bytes(accepted, 1), 0);
    accepted = {};
    for (const auto cookie : cookies) {
      // Its last segment may yet be on its way.
      for (const auto begin = boot_now(); has_place(cookie) && boot_now() < begin + 10 * second;)
        std::this_thread::yield();
      EXPECT_FALSE(has_place(cookie)) << "not given back";
    }
  }
  EXPECT_GT(places, connections) << "others may have some of them, not most";
  file_descriptor refused;
  world.inside("west", [&] { connect_to(endpoint::parse("10.77.0.2:81").value(), refused, 0); });

  const auto west = of(world.cookie("west"));
  const auto east = of(world.cookie("east"));
  EXPECT_EQ(west.size(), connections + 1);
  EXPECT_EQ(east.size(), connections);
  std::size_t established = 0;
  for (const auto& e : west) {
    EXPECT_NE(e.flags & TENURE_SOCKET_ACTIVE, 0);
    EXPECT_NE(e.flags & TENURE_SOCKET_OPENED_KNOWN, 0);
    if ((e.flags & TENURE_SOCKET_ESTABLISHED) != 0) ++established;
  }
  EXPECT_EQ(established, connections);
  for (const auto& e : east) {
    EXPECT_EQ(e.flags & TENURE_SOCKET_ACTIVE, 0);
    EXPECT_NE(e.flags & TENURE_SOCKET_ESTABLISHED, 0);
    EXPECT_EQ(e.flags & TENURE_SOCKET_OPEN_BEFORE, 0);
    // The round trip is taken off once, not twice.
    EXPECT_LT(e.established_ns - e.opened_ns, 1'900'000U);
  }
  if (GetParam().first) return;
  EXPECT_GE(counted(TENURE_STOOD_IN), 5 * connections);
}

INSTANTIATE_TEST_SUITE_P(programs, StandIn,
                         ::testing::Values(attached{"first", true, false}, attached{"stand_in", false, true},
                                           attached{"both", true, true}),
                         [](const auto& p) { return p.param.name; });

}  // namespace
}  // namespace tenure::testing
