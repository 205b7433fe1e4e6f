#include "bench/agent/empty_programs.hpp"

#include <array>
#include <cerrno>
#include <linux/bpf.h>
#include <string>
#include <system_error>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

namespace tenure::bench {
namespace {

tl::unexpected<failure> refused(const char* step) {
  return fail(trouble::refused,
              std::string{step} + " an empty program: " + std::generic_category().message(errno));
}

}  // namespace

outcome<empty_programs> empty_programs::attach(std::size_t count) {
  const int tracepoint = ::libbpf_find_vmlinux_btf_id("inet_sock_set_state", BPF_TRACE_RAW_TP);
  if (tracepoint < 0) return refused("finding the tracepoint for");
  // return 0;
  std::array<bpf_insn, 2> code{};
  code[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
  code[1].code = BPF_JMP | BPF_EXIT;
  LIBBPF_OPTS(bpf_prog_load_opts, how);
  how.expected_attach_type = BPF_TRACE_RAW_TP;
  how.attach_btf_id = static_cast<__u32>(tracepoint);
  empty_programs all;
  for (std::size_t i = 0; i < count; ++i) {
    agent::file_descriptor program{
        ::bpf_prog_load(BPF_PROG_TYPE_TRACING, "empty", "GPL", code.data(), code.size(), &how)};
    if (!program) return refused("loading");
    agent::file_descriptor link{::bpf_raw_tracepoint_open(nullptr, program.get())};
    if (!link) return refused("attaching");
    all.held_.push_back(std::move(link));
    all.held_.push_back(std::move(program));
  }
  return all;
}

}  // namespace tenure::bench
