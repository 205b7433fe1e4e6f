#include "cli/evidence_file.hpp"

#include <algorithm>
#include <ostream>

#include "cli/evidence_line.hpp"
#include "cli/line_reader.hpp"
#include "ownership/invariant.hpp"

namespace tenure::cli {

namespace {

// As a number that is ordered as the texts are, as far as eight bytes go.
std::uint64_t first_bytes(std::string_view text) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < sizeof bytes; ++i)
    bytes = bytes << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0U);
  return bytes;
}

}  // namespace

std::uint32_t name_table::intern(std::string_view name) {
  if (const auto known = numbers_.find(name); known != numbers_.end()) return known->second;
  const auto number = static_cast<std::uint32_t>(names_.size() + 1);
  invariant(number != 0, "fewer than 2^32 names");
  names_.push_back(&numbers_.emplace(name, number).first->first);
  return number;
}

std::vector<std::uint32_t> name_table::sort() {
  // With the first bytes at hand most comparisons need no look at the texts, which lie far apart.
  struct name {
    std::uint64_t begin = 0;
    std::uint32_t number = 0;
  };
  std::vector<name> order(names_.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = {first_bytes(*names_[i]), i};
  std::sort(order.begin(), order.end(), [this](const name& a, const name& b) {
    return a.begin != b.begin ? a.begin < b.begin : *names_[a.number] < *names_[b.number];
  });
  std::vector<std::uint32_t> renumbered(names_.size() + 1);
  std::vector<const std::string*> sorted(names_.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    renumbered[order[i].number + 1] = i + 1;
    sorted[i] = names_[order[i].number];
  }
  names_ = std::move(sorted);
  return renumbered;
}

outcome<evidence_file> read_evidence_file(const std::string& file) {
  auto lines = line_reader::open(file);
  if (!lines) return tl::unexpected(lines.error());
  evidence_file all;
  evidence_line_reader reader;
  for (;;) {
    const auto line = lines->next();
    if (!line) return tl::unexpected(line.error());
    if (!*line) break;
    const auto e = reader.read(**line);
    if (!e) return fail(e.error().trouble, lines->place() + ": " + e.error().text);
    all.lines.push_back({.endpoint = e->at,
                         .tenancy = {0, all.tenancies.intern(e->tenancy)},
                         .workload = static_cast<workload_id>(all.workloads.intern(e->workload)),
                         .from = e->from,
                         .until = e->until,
                         .from_error = e->from_error,
                         .until_error = e->until_error});
  }
  const auto tenancies = all.tenancies.sort();
  const auto workloads = all.workloads.sort();
  for (auto& e : all.lines) {
    e.tenancy.sequence = tenancies[e.tenancy.sequence];
    e.workload = static_cast<workload_id>(workloads[static_cast<std::uint32_t>(e.workload)]);
  }
  return all;
}

void merge_evidence(attributor& who, const evidence_file& evidence, console& io) {
  std::vector<merged> results(evidence.lines.size());
  who.merge_all(evidence.lines, results);
  std::uint64_t refused = 0;
  std::uint64_t empty = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (evidence.lines[i].said().empty())
      ++empty;
    else if (results[i] == merged::refused)
      ++refused;
  }
  if (empty > 0)
    io.err << "tenure: " << empty << " lines of evidence say nothing: until_ns is not after from_ns\n";
  if (refused > 0)
    io.err << "tenure: " << refused
           << " lines of evidence were left out: host-local or not routable addresses\n";
}

}  // namespace tenure::cli
