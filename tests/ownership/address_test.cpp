#include "ownership/address.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ownership/endpoint.hpp"
#include "ownership/prefix.hpp"

namespace tenure {
namespace {

rc::Gen<address> any_address() {
  return rc::gen::oneOf(
      rc::gen::map(rc::gen::arbitrary<std::uint32_t>(), &address::v4),
      rc::gen::map(rc::gen::pair(rc::gen::arbitrary<std::uint64_t>(), rc::gen::arbitrary<std::uint64_t>()),
                   [](const auto& halves) { return address::from_halves(halves.first, halves.second); }));
}

RC_GTEST_PROP(Address, ReadsWhatItWrites, ()) {
  const auto a = *any_address();
  RC_ASSERT(address::parse(a.to_string()) == a);
  RC_ASSERT(address::from_bytes(a.bytes()) == a);
  const auto port = *rc::gen::inRange<std::uint16_t>(1, 0xffff);
  const endpoint e{a, port};
  RC_ASSERT(endpoint::parse(e.to_string()) == e);
  RC_ASSERT(endpoint::parse(a.to_string()) == (endpoint{a, 0}));
}

TEST(Address, Ipv4AndItsMappedFormAreOne) {
  const auto dotted = address::parse("10.0.0.1");
  ASSERT_TRUE(dotted.has_value());
  EXPECT_TRUE(dotted->is_v4());
  EXPECT_EQ(dotted->v4_bits(), 0x0a000001U);
  EXPECT_EQ(address::parse("::ffff:10.0.0.1"), dotted);
  EXPECT_EQ(address::parse("::FFFF:a00:1"), dotted);
  EXPECT_EQ(dotted->to_string(), "10.0.0.1");
  EXPECT_EQ(address::parse("2001:DB8:0:0::1")->to_string(), "2001:db8::1");
}

TEST(Address, RefusesWhatIsNone) {
  for (const char* text : {"",
                           "10.0.0",
                           "10.0.0.256",
                           "10.0.0.1.",
                           ".10.0.0.1",
                           "10.0.0.01",
                           "010.0.0.1",
                           "10.0.0.1 ",
                           " 10.0.0.1",
                           "10..0.1",
                           "0x0a.0.0.1",
                           "1000.0.0.1",
                           "10.0.0.1/8",
                           "::1%lo",
                           ":::",
                           "1::2::3",
                           "2001:db8::1]",
                           "[::1]",
                           "::ffff:10.0.0.256",
                           "localhost",
                           "1:2:3:4:5:6:7:8:9"})
    EXPECT_FALSE(address::parse(text).has_value()) << text;
  EXPECT_FALSE(address::parse(std::string_view("::1\0", 4)).has_value());
  EXPECT_FALSE(address::parse(std::string(1000, ':')).has_value());
}

TEST(Address, KnowsWhichRepeatFromHostToHost) {
  for (const char* text : {"127.0.0.1", "127.255.255.255", "169.254.0.1", "0.0.0.0", "255.255.255.255",
                           "::", "::1", "fe80::1", "febf::1", "::ffff:127.0.0.1"})
    EXPECT_TRUE(address::parse(text)->is_host_local()) << text;
  for (const char* text : {"10.0.0.1", "128.0.0.1", "169.253.0.1", "169.255.0.1", "0.0.0.1", "::2", "fec0::1",
                           "fe7f::1", "2001:db8::1", "255.255.255.254"})
    EXPECT_FALSE(address::parse(text)->is_host_local()) << text;
}

TEST(Endpoint, IsAnAddressOrOnePortOfIt) {
  EXPECT_EQ(endpoint::parse("10.0.0.1:443"), (endpoint{*address::parse("10.0.0.1"), 443}));
  EXPECT_EQ(endpoint::parse("[2001:db8::1]:443"), (endpoint{*address::parse("2001:db8::1"), 443}));
  EXPECT_EQ(endpoint::parse("2001:db8::1:443")->port, 0);
  EXPECT_EQ(endpoint::parse("[::ffff:10.0.0.1]:65535")->to_string(), "10.0.0.1:65535");
  for (const char* text : {"10.0.0.1:", "10.0.0.1:0", "10.0.0.1:00443", "10.0.0.1:65536", "10.0.0.1:-1",
                           "10.0.0.1:+1", "10.0.0.1:1 ", "[10.0.0.1]:443", "[2001:db8::1]",
                           "[2001:db8::1]443", "[2001:db8::1]:", ":443", "[]:443", "10.0.0.1:443:1"})
    EXPECT_FALSE(endpoint::parse(text).has_value()) << text;
}

RC_GTEST_PROP(Prefix, HoldsExactlyTheAddressesWithItsFirstBits, ()) {
  const auto base = *any_address();
  const int length = *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, 129));
  const prefix p(base, length);
  RC_ASSERT(p.contains(base));
  RC_ASSERT(prefix::parse(p.to_string()) == p);
  auto bytes = base.bytes();
  const int flipped = *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, 128));
  bytes[static_cast<std::size_t>(flipped / 8)] ^= static_cast<std::uint8_t>(0x80 >> flipped % 8);
  RC_ASSERT(p.contains(address::from_bytes(bytes)) == (flipped >= length));
}

RC_GTEST_PROP(Prefix, ASetHoldsWhatAnyOfItsMembersHolds, ()) {
  const auto close =
      rc::gen::map(rc::gen::arbitrary<std::uint8_t>(), [](std::uint8_t n) { return address::v4(n); });
  const auto lengths = rc::gen::resize(rc::kNominalSize, rc::gen::inRange(120, 129));
  const auto pairs = *rc::gen::container<std::vector<std::pair<address, int>>>(rc::gen::pair(close, lengths));
  std::vector<prefix> members;
  for (const auto& [a, length] : pairs) members.emplace_back(a, length);
  const prefix_set all(members);
  RC_ASSERT(all.empty() == members.empty());
  for (std::uint32_t n = 0; n < 300; ++n) {
    const auto a = address::v4(n);
    const bool any =
        std::any_of(members.begin(), members.end(), [a](const prefix& p) { return p.contains(a); });
    RC_ASSERT(all.contains(a) == any);
  }
}

TEST(Prefix, ReadsBothFamiliesAndClearsHostBits) {
  EXPECT_EQ(prefix::parse("10.1.2.3/8")->to_string(), "10.0.0.0/8");
  EXPECT_EQ(prefix::parse("10.1.2.3")->to_string(), "10.1.2.3/32");
  EXPECT_EQ(prefix::parse("2001:db8::1/32")->to_string(), "2001:db8::/32");
  EXPECT_EQ(prefix::parse("0.0.0.0/0")->to_string(), "0.0.0.0/0");
  EXPECT_EQ(prefix::parse("::/0")->to_string(), "::/0");
  EXPECT_TRUE(prefix::parse("::/0")->contains(*address::parse("10.0.0.1")))
      << "IPv4 is a part of the 128 bits";
  EXPECT_FALSE(prefix::parse("0.0.0.0/0")->contains(*address::parse("2001:db8::1")));
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/8/8",
                           "::/129", "10.0.0/8", "x/8"})
    EXPECT_FALSE(prefix::parse(text).has_value()) << text;
}

TEST(Prefix, EverythingIsEverything) {
  const auto all = prefix_set::everything();
  for (const char* text : {"::", "0.0.0.0", "255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})
    EXPECT_TRUE(all.contains(*address::parse(text))) << text;
  EXPECT_FALSE(prefix_set{}.contains(address{}));
}

}  // namespace
}  // namespace tenure
