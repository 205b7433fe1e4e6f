#include "cli/capture_filter.hpp"

#include <algorithm>
#include <array>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "agent/address_check.hpp"
#include "agent/host_addresses.hpp"

namespace tenure::cli {
namespace {

/// The same at both ends of a connection, and for all its parts, so that a sample has whole connections.
std::uint64_t number_of(const flow& f) {
  using end = std::array<std::uint64_t, 3>;
  std::array<end, 2> ends{end{f.near_address.high(), f.near_address.low(), f.near_port},
                          end{f.far_address.high(), f.far_address.low(), f.far_port}};
  if (ends[1] < ends[0]) std::swap(ends[0], ends[1]);
  return XXH3_64bits(ends.data(), sizeof ends);
}

}  // namespace

void capture_filter::set(wish w) {
  const std::scoped_lock lock(mutex_);
  wish_ = std::move(w);
}

bool capture_filter::reported(const flow& f) const {
  if (std::ranges::any_of(wish_.left_out, [&](const prefix& p) { return p.contains(f.far_address); }))
    return false;
  return wish_.sample <= 1 || number_of(f) % wish_.sample == 0;
}

std::size_t capture_filter::apply(std::vector<agent::observed_flow>& flows) const {
  const std::scoped_lock lock(mutex_);
  if (!wish_.netns.empty())
    std::erase_if(flows, [&](const agent::observed_flow& f) {
      return std::ranges::find(wish_.netns, f.netns_cookie) == wish_.netns.end();
    });
  if (wish_.left_out.empty() && wish_.sample <= 1) return 0;
  return std::erase_if(flows, [&](const agent::observed_flow& f) { return !reported(f.flow); });
}

outcome<std::vector<std::uint64_t>> cookies_of(const std::vector<std::string>& netns) {
  const auto addresses = agent::make_address_check();
  std::vector<std::uint64_t> cookies;
  for (const auto& path : netns) {
    const auto ns = addresses->open(path);
    if (!ns) return tl::unexpected(ns.error());
    cookies.push_back(ns->cookie);
  }
  return cookies;
}

}  // namespace tenure::cli
