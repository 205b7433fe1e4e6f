#include "cli/evidence_file.hpp"

#include <algorithm>
#include <memory>
#include <ostream>
#include <string_view>

#include "cli/evidence_line.hpp"
#include "cli/in_order.hpp"

namespace tenure::cli {

namespace {

/// Names of a block of lines, copied: a line's texts do not outlive it.
class block_names {
 public:
  void clear() {
    texts_.clear();
    names_.clear();
  }
  void add(std::string_view name) {
    names_.push_back({texts_.size(), name.size(), name_table::hash(name)});
    texts_ += name;
  }
  // Far apart in a large table, so they are asked for some steps before.
  template <class Take>
  void intern(name_table& table, Take&& take) const {
    constexpr std::size_t ahead = 12;
    for (std::size_t i = 0; i < std::min(ahead, names_.size()); ++i) table.prefetch(names_[i].hash);
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (i + ahead < names_.size()) table.prefetch(names_[i + ahead].hash);
      const extent& n = names_[i];
      take(i, table.intern(std::string_view(texts_).substr(n.begin, n.size), n.hash), n.hash);
    }
  }

 private:
  struct extent {
    std::size_t begin = 0;
    std::size_t size = 0;
    std::uint64_t hash = 0;
  };
  std::string texts_;
  std::vector<extent> names_;
};

class evidence_worker final : public block_worker {
 public:
  evidence_worker(evidence_names& names, const std::function<void(std::span<const evidence>)>& take)
      : names_(names), take_(take) {}

  outcome<void> read(line_block& lines) override {
    read_.clear();
    tenancies_.clear();
    workloads_.clear();
    for (;;) {
      const auto line = lines.next();
      if (!line) return tl::unexpected(line.error());
      if (!*line) return {};
      const auto e = reader_.read(**line);
      if (!e) return tl::unexpected(e.error());
      tenancies_.add(e->tenancy);
      workloads_.add(e->workload);
      read_.push_back({.endpoint = e->at,
                       .tenancy = {},
                       .workload = workload_id::none,
                       .from = e->from,
                       .until = e->until,
                       .from_error = e->from_error,
                       .until_error = e->until_error});
    }
  }

  outcome<void> hand_over() override {
    tenancies_.intern(names_.tenancies, [&](std::size_t i, std::uint32_t number, std::uint64_t hash) {
      read_[i].tenancy = {hash, number};
    });
    workloads_.intern(names_.workloads, [&](std::size_t i, std::uint32_t number, std::uint64_t) {
      read_[i].workload = static_cast<workload_id>(number);
    });
    take_(read_);
    return {};
  }

 private:
  evidence_names& names_;
  const std::function<void(std::span<const evidence>)>& take_;
  evidence_line_reader reader_;
  std::vector<evidence> read_;
  block_names tenancies_;
  block_names workloads_;
};

}  // namespace

outcome<evidence_names> read_evidence_file(const std::string& file, unsigned jobs,
                                           const std::function<void(std::span<const evidence>)>& take) {
  evidence_names names;
  std::vector<std::unique_ptr<block_worker>> workers(workers_for(jobs));
  for (auto& worker : workers) worker = std::make_unique<evidence_worker>(names, take);
  if (auto read = read_in_order(file, workers); !read) return tl::unexpected(read.error());
  return names;
}

outcome<evidence_names> merge_evidence_file(const std::string& file, unsigned jobs, attributor& who,
                                            console& io) {
  std::vector<merged> results;
  std::uint64_t refused = 0;
  std::uint64_t empty = 0;
  auto names = read_evidence_file(file, jobs, [&](std::span<const evidence> some) {
    results.resize(some.size());
    who.merge_all(some, results);
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (some[i].said().empty())
        ++empty;
      else if (results[i] == merged::refused)
        ++refused;
    }
  });
  if (!names) return names;
  if (empty > 0)
    io.err << "tenure: " << empty << " lines of evidence say nothing: until_ns is not after from_ns\n";
  if (refused > 0)
    io.err << "tenure: " << refused
           << " lines of evidence were left out: host-local or not routable addresses\n";
  return names;
}

}  // namespace tenure::cli
