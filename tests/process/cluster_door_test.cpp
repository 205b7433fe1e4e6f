#include <gtest/gtest.h>

#include "tests/process/loaded_cluster.hpp"

// Who is heard at the door that nodes come in by.
namespace tenure::testing {
namespace {

using std::chrono::seconds;

TEST(cluster, without_certificates_nodes_are_heard_on_loopback_only) {
  temporary_folder folder;
  child open({tenure_binary(), "node", "--listen", "127.0.0.1:0", "--http", "", "--output", folder / "out",
              "--node-name", "a", "--member", "a=10.0.0.1:4743", "--peer-listen", "0.0.0.0:0"});
  EXPECT_EQ(open.wait(), 2);
  EXPECT_NE(open.err().find("--plain-peers"), std::string::npos) << open.err();
  child stranger({tenure_binary(), "node", "--listen", "127.0.0.1:0", "--http", "", "--output",
                  folder / "out", "--node-name", "b", "--member", "a=127.0.0.1:4743", "--peer-listen",
                  "127.0.0.1:0"});
  EXPECT_EQ(stranger.wait(), 2);
  EXPECT_NE(stranger.err().find("none is called 'b'"), std::string::npos) << stranger.err();
}

}  // namespace
}  // namespace tenure::testing
