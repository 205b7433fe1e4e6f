#include "cli/judged_output.hpp"

#include <fstream>
#include <optional>
#include <ostream>

#include "sinks/block_file.hpp"

namespace tenure::cli {
namespace {

std::optional<load::judged_record::end> end_of(const sinks::read_block& block, workload_id who,
                                               const tenancy_id& proof) {
  if (who == workload_id::none) return std::nullopt;
  return load::judged_record::end{block.workloads.name(who), proof};
}

outcome<void> see_blocks(const std::filesystem::path& output, load::judge& judge) {
  std::ifstream in(output, std::ios::binary);
  if (!in) return fail(trouble::usage, output.string() + ": cannot be read");
  const auto whole = sinks::each_block(in, [&](const sinks::read_block& block) -> outcome<void> {
    for (const auto& r : block.records)
      judge.see({r.flow.id, end_of(block, r.flow.near_workload, r.flow.near_tenancy),
                 end_of(block, r.far.workload, r.far.tenancy), to_string(r.far.reason)});
    return {};
  });
  if (!whole) return fail(whole.error().trouble, output.string() + ": " + whole.error().text);
  if (!*whole) return fail(trouble::check_failed, output.string() + ": the last block is not whole");
  return {};
}

}  // namespace

outcome<load::findings> judge_output(const load::fleet& fleet, std::uint32_t flows_a_batch,
                                     const std::filesystem::path& output) {
  load::judge judge(fleet.planned(), fleet.sealed(), flows_a_batch);
  if (output.extension() == ".tnr") {
    if (auto seen = see_blocks(output, judge); !seen) return tl::unexpected(seen.error());
  } else if (!judge.see_file(output.string())) {
    return fail(trouble::usage, output.string() + ": cannot be read; give the node's --output");
  }
  return judge.conclude();
}

nlohmann::ordered_json as_json(const load::findings& f) {
  return {{"records", f.records},          {"flows", f.flows},
          {"repeats", f.repeats},          {"lost", f.lost},
          {"strangers", f.strangers},      {"unreadable", f.unreadable},
          {"attributed", f.attributed},    {"misattributed", f.misattributed},
          {"unattributed", f.unattributed}};
}

outcome<void> expect_nothing_wrong(const load::findings& f, console& io) {
  for (const auto& line : f.wrong) io.err << line << '\n';
  if (f.lost + f.misattributed + f.strangers + f.unreadable == 0) return {};
  return fail(trouble::check_failed, "the output is not what was reported: see the lines above");
}

}  // namespace tenure::cli
