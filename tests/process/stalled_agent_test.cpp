#include <csignal>

#include <gtest/gtest.h>

#include "capnp/codec.hpp"
#include "tests/process/child.hpp"
#include "tests/process/written_events.hpp"
#include "tests/process/written_records.hpp"
#include "tests/transport/raw_socket.hpp"

// Agents that stand still, and some that do not read, at a real node: it lets go of them with a reason, and
// who goes on comes back without loss.
namespace tenure::testing {
namespace {

using std::chrono::seconds;

void write_frame(transport::raw_socket& to, const wire::message& m) {
  const auto frame = wire::encode(m);
  to.write_length(static_cast<std::uint32_t>(frame.size() * sizeof frame[0]));
  to.write(std::as_bytes(std::span{frame}));
}

TEST(stalled_agent, is_let_go_of_with_a_reason_and_loses_nothing_when_it_goes_on) {
  constexpr std::size_t all = 4'000;
  const temporary_folder folder;
  const std::string output = folder / "out.ndjson";
  write_events(folder / "events", all, 5 * millisecond);
  child node({tenure_binary(), "node", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--output", output,
              "--hold", "300ms"});
  ASSERT_TRUE(node.says("agents 127.0.0.1:")) << node.err();
  const auto http = port_in(node.err(), "HTTP ");
  const auto port = port_in(node.err(), "agents ");
  child agent({tenure_binary(), "agent", "--replay", folder / "events", "--node",
               "127.0.0.1:" + std::to_string(port), "--ipman-socket", "", "--http", "127.0.0.1:0", "--linger",
               "20ms"});
  ASSERT_TRUE(eventually([&] { return records_in(output).size() > 500; }, seconds{60})) << agent.err();
  // As by a debugger: its kernel still takes what comes, so only its silence tells.
  agent.signal(SIGSTOP);
  // And one that goes on speaking, and never reads what it is asked.
  transport::raw_socket deaf;
  deaf.connect(port);
  write_frame(deaf, wire::hello{.incarnation = 0xdeaf, .agent = "deaf", .credit = false});
  wire::batch b;
  int looks = 0;
  const auto speak = [&] {
    if (looks++ % 100 != 0) return;
    ++b.number;
    write_frame(deaf, b);
  };
  EXPECT_TRUE(eventually(
      [&] {
        if (node.err().find("for too long") != std::string::npos) return true;
        speak();
        return false;
      },
      seconds{50}))
      << node.err();
  const auto heard = deaf.read_to_end();
  const std::string_view told(reinterpret_cast<const char*>(heard.data()), heard.size());
  EXPECT_NE(told.find("for too long"), std::string_view::npos) << "it is told why";
  EXPECT_TRUE(node.says("ended: timed out", seconds{50}));
  EXPECT_TRUE(
      eventually([&] { return metric(http_get(http, "/metrics"), "tenure_node_agents") == 0; }, seconds{30}));
  EXPECT_LT(records_in(output).size(), all) << "or it was done before";

  agent.signal(SIGCONT);
  std::size_t records = 0;
  EXPECT_TRUE(eventually([&] { return (records = records_in(output).size()) >= all; }, seconds{50}))
      << records << agent.err();
  EXPECT_EQ(records, all) << "each once";
  agent.signal(SIGTERM);
  EXPECT_EQ(agent.wait(), 0) << agent.err();
  node.signal(SIGTERM);
  EXPECT_EQ(node.wait(), 0) << node.err();
}

}  // namespace
}  // namespace tenure::testing
