#include <gtest/gtest.h>

#include "transport/transport.hpp"

namespace tenure::transport {
namespace {

TEST(host_port, is_taken_apart) {
  struct {
    const char* text;
    const char* host;
    std::uint16_t port;
  } const good[] = {{"127.0.0.1:4740", "127.0.0.1", 4740},
                    {"localhost:0", "localhost", 0},
                    {"[::1]:65535", "::1", 65535},
                    {"[fe80::1%lo]:7", "fe80::1%lo", 7}};
  for (const auto& g : good) {
    auto got = parse_host_port(g.text);
    ASSERT_TRUE(got) << g.text;
    EXPECT_EQ(got->host, g.host);
    EXPECT_EQ(got->port, g.port);
  }
}

TEST(host_port, what_is_not_one_is_refused_with_its_text) {
  for (const char* text : {"", ":", "host", "host:", ":1", "::1:80", "host:65536", "host:-1", "host:1x",
                           "host: 1", "[::1]", "[::1:80", "::1]:80", "[host]:1", "[]:1", "[::1]x:1"}) {
    auto got = parse_host_port(text);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().trouble, trouble::usage);
    EXPECT_NE(got.error().text.find("'" + std::string(text) + "'"), std::string::npos);
  }
}

}  // namespace
}  // namespace tenure::transport
