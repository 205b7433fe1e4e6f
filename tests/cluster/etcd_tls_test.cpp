#include <memory>

#include <gtest/gtest.h>

#include "cluster/etcd_membership.hpp"
#include "tests/cluster/etcd_process.hpp"
#include "tests/transport/certificates.hpp"

// An etcd at https:// that asks for certificates.
namespace tenure::cluster {
namespace {

class secured_etcd : public testing::Test {
 protected:
  etcd_tls files(const transport::authority& issuer, const transport::authority& trusted,
                 const std::string& name, const std::string& address = "127.0.0.1") {
    const auto made = folder.put(issuer.issue({{}, -3'600, 3'600, "etcd.example,IP:" + address}),
                                 trusted.certificate(), name);
    return {made.authority, made.certificate, made.key};
  }
  /// What a read of the keys says to somebody with these files; empty: all is well.
  std::string refusal(const etcd_process& etcd, const etcd_tls& tls) {
    auto client = etcd_client::make(etcd.endpoint(), std::chrono::milliseconds{2'000}, tls);
    if (!client) return client.error().text;
    const auto read = (*client)->range("ready");
    return read ? "" : read.error().text;
  }

  transport::certificate_folder folder;
  transport::authority ours;
  transport::authority another;
};

TEST_F(secured_etcd, is_spoken_to_with_certificates_of_its_authority_and_by_no_others) {
  const etcd_process etcd("127.0.0.1", {}, files(ours, ours, "etcd"));
  const auto own = files(ours, ours, "own");
  EXPECT_EQ(refusal(etcd, own), "");
  EXPECT_NE(refusal(etcd, {own.authority, "", ""}), "") << "etcd asks for a certificate";
  EXPECT_NE(refusal(etcd, files(ours, another, "wary")), "")
      << "etcd's is of an authority that we do not trust";
  EXPECT_NE(refusal(etcd, files(another, ours, "strange")), "") << "ours is of one that etcd does not trust";
  EXPECT_NE(refusal(etcd, {}), "");
}

TEST_F(secured_etcd, of_another_address_is_not_believed) {
  auto at_home = files(ours, ours, "etcd");
  const etcd_process etcd("127.0.0.1", {}, at_home);
  const auto own = files(ours, ours, "own");
  // Its certificate is exchanged for one of another address: etcd reads it at each connection.
  files(ours, ours, "etcd", "10.99.0.9");
  EXPECT_NE(refusal(etcd, own), "");
}

TEST_F(secured_etcd, has_members) {
  const etcd_process etcd("127.0.0.1", {}, files(ours, ours, "etcd"));
  etcd_options options;
  options.endpoints = {etcd.endpoint()};
  options.tls = files(ours, ours, "own");
  auto node = etcd_membership::make(options, {"a", "a:4743", 1, 1});
  ASSERT_TRUE(node) << node.error().text;
  (*node)->start({});
  const auto reader = etcd.client();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while ((*node)->counters().views == 0 && std::chrono::steady_clock::now() < end)
    reader->wait_for_change("/tenure/", 0, std::chrono::milliseconds{50});
  const auto found = reader->range("/tenure/nodes/");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->items.size(), 1U);
  EXPECT_TRUE((*node)->leave());
  (*node)->stop();
}

TEST_F(secured_etcd, options_that_cannot_work_are_refused) {
  const auto own = files(ours, ours, "own");
  const auto made = [](const std::string& endpoint, const etcd_tls& tls) {
    return etcd_client::make(endpoint, std::chrono::milliseconds{100}, tls).has_value();
  };
  EXPECT_TRUE(made("https://127.0.0.1:1", own));
  EXPECT_TRUE(made("https://127.0.0.1:1", {}));
  EXPECT_FALSE(made("http://127.0.0.1:1", own));
  EXPECT_FALSE(made("https://", own));
  EXPECT_FALSE(made("https://127.0.0.1:1", {own.authority, own.certificate, ""}));
  EXPECT_FALSE(made("https://127.0.0.1:1", {"/nowhere.pem", "", ""}));
  EXPECT_FALSE(made("https://127.0.0.1:1", {own.authority, own.authority, own.authority}));
}

}  // namespace
}  // namespace tenure::cluster
