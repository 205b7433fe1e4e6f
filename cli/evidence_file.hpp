#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "cli/console.hpp"
#include "cli/name_table.hpp"
#include "ownership/attributor.hpp"
#include "ownership/evidence.hpp"
#include "ownership/outcome.hpp"

namespace tenure::cli {

/// What the numbers in the evidence of a file stand for. A tenancy's id is the hash of its name and the
/// name's number: the order of ids depends on the names alone, and so does everything that depends on that
/// order.
struct evidence_names {
  name_table tenancies;
  name_table workloads;

  std::string_view of(const tenancy_id& t) const {
    return tenancies.name(static_cast<std::uint32_t>(t.sequence));
  }
  std::string_view of(workload_id w) const { return workloads.name(static_cast<std::uint32_t>(w)); }
};

/// Reads a file of evidence.
/// @param jobs how many threads read; 0: one for each processor.
/// @param take takes the evidence in the order of the file, some lines at a time, one call after the other.
/// @returns or says, with its line, what was expected.
outcome<evidence_names> read_evidence_file(const std::string& file, unsigned jobs,
                                           const std::function<void(std::span<const evidence>)>& take);

/// Reads a file of evidence and merges it, and says on `io.err` what was left out and why.
outcome<evidence_names> merge_evidence_file(const std::string& file, unsigned jobs, attributor& who,
                                            console& io);

}  // namespace tenure::cli
