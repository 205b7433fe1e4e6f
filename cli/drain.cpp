#include "cli/drain.hpp"

#include <chrono>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "api/http_server.hpp"

namespace tenure::cli {
namespace {

// A node ends within 20 s.
constexpr auto bound = std::chrono::seconds{25};
constexpr auto look_pause = std::chrono::milliseconds{100};

}  // namespace

std::string drain_word(bool told) {
  return fmt::format("{} {}\n", told ? "draining" : "serving", ::getpid());
}

outcome<void> drain_node(const std::string& http) {
  if (auto told = api::http_do(http, drain_path); !told) return told;
  const auto first = api::http_get(http, drain_path);
  if (!first || !first->starts_with("draining")) return {};
  const auto end = std::chrono::steady_clock::now() + bound;
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(look_pause);
    // Another process may be there in its place already.
    if (const auto now = api::http_get(http, drain_path); !now || *now != *first) return {};
  }
  return fail(trouble::check_failed, "the node at " + http + " has not ended after 25 s; its log says why");
}

}  // namespace tenure::cli
