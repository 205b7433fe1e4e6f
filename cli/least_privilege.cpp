#include "cli/least_privilege.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace tenure::cli {
namespace {

// Younger than some kernel headers.
constexpr int cap_perfmon = 38;
constexpr int cap_bpf = 39;

constexpr std::uint64_t needed = std::uint64_t{1} << cap_bpf | std::uint64_t{1} << cap_perfmon |
                                 std::uint64_t{1} << CAP_NET_ADMIN | std::uint64_t{1} << CAP_SYS_ADMIN |
                                 std::uint64_t{1} << CAP_SYS_PTRACE | std::uint64_t{1} << CAP_DAC_READ_SEARCH;

tl::unexpected<failure> refused() {
  return fail(trouble::refused, "cannot give up capabilities: " + std::generic_category().message(errno));
}

}  // namespace

outcome<void> keep_agent_capabilities() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (::syscall(SYS_capget, &head, data.data()) != 0) return refused();
  if (data[0].effective == 0 && data[1].effective == 0) return {};
  // The bounding set first: that needs a capability that goes. Where it may not be changed, no new
  // privileges says the same.
  for (int c = 0; ::prctl(PR_CAPBSET_READ, c) >= 0; ++c)
    if (((needed >> c) & 1U) == 0) (void)::prctl(PR_CAPBSET_DROP, c);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused();
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto keep = static_cast<std::uint32_t>(needed >> (32 * i));
    data[i].effective &= keep;
    data[i].permitted &= keep;
    data[i].inheritable = 0;
  }
  if (::syscall(SYS_capset, &head, data.data()) != 0) return refused();
  return {};
}

}  // namespace tenure::cli
