#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "agent/bpf_flow_source.hpp"
#include "agent/identity_maps.hpp"
#include "tests/agent/kernel_world.hpp"

namespace tenure::testing {

using agent::file_descriptor;
using agent::observed_flow;

inline endpoint at(const char* text) {
  return endpoint::parse(text).value();
}

/// The real kernel, in namespaces of this test's own. Needs root; where the kernel programs do not load it
/// fails, unless TENURE_WITHOUT_BPF=1 says that this is known.
class kernel : public ::testing::Test {
 protected:
  static constexpr std::uint64_t incarnation = 0xfeed;

  void SetUp() override {
    const char* without = std::getenv("TENURE_WITHOUT_BPF");
    if (without != nullptr && std::string(without) == "1") GTEST_SKIP() << "TENURE_WITHOUT_BPF=1";
    pin_ = "/sys/fs/bpf/tenure-test-" + std::to_string(::getpid());
    auto maps = agent::make_identity_maps(pin_, incarnation);
    ASSERT_TRUE(maps) << maps.error().text;
    maps_ = std::move(*maps);
    world_ = std::make_unique<kernel_world>();
    west_ = world_->cookie("west");
    east_ = world_->cookie("east");
  }

  void TearDown() override {
    source_.reset();
    maps_.reset();
    world_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(pin_, ignored);
  }

  void start_source(nanos active_timeout = 60 * second) {
    auto options = options_;
    options.pin = pin_;
    options.poll_interval = 5 * millisecond;
    options.active_timeout = active_timeout;
    auto source = agent::make_bpf_flow_source(options);
    ASSERT_TRUE(source) << source.error().text;
    source_ = std::move(*source);
    const auto started = source_->start([this](const std::vector<observed_flow>& f) { seen_.add(f); });
    ASSERT_TRUE(started) << started.error().text;
  }

  void assign(std::uint64_t cookie, const char* where, std::uint64_t sequence) {
    const auto put = maps_->put({cookie, at(where)}, {incarnation, sequence});
    ASSERT_TRUE(put) << put.error().text;
  }

  /// A listener in a namespace; its socket stays of that namespace on whatever thread.
  file_descriptor listener(const std::string& ns, const char* where) {
    file_descriptor made;
    world_->inside(ns, [&] { made = listen_on(at(where)); });
    return made;
  }

  int connect(const std::string& ns, const char* where, file_descriptor& made, int syn_retries = 0) {
    int result = 0;
    world_->inside(ns, [&] { result = connect_to(at(where), made, syn_retries); });
    return result;
  }

  agent::bpf_options options_;  ///< what a test wants otherwise
  std::string pin_;
  std::unique_ptr<agent::identity_map> maps_;
  std::unique_ptr<kernel_world> world_;
  flow_collector seen_;
  std::unique_ptr<agent::flow_source> source_;
  std::uint64_t west_ = 0;
  std::uint64_t east_ = 0;
};

}  // namespace tenure::testing
