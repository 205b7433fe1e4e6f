#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cli/console.hpp"
#include "ownership/attributor.hpp"
#include "ownership/evidence.hpp"
#include "ownership/outcome.hpp"

namespace tenure::cli {

/// Texts as small numbers, from 1 (0 names none). Numbers are given in the order of appearance, until `sort`
/// gives them anew in the order of the texts.
class name_table {
 public:
  std::uint32_t intern(std::string_view name);
  /// @returns for each old number the new one. No text can be interned afterwards.
  std::vector<std::uint32_t> sort();
  /// @pre 1 <= number <= size()
  const std::string& name(std::uint32_t number) const { return *names_[number - 1]; }
  std::size_t size() const { return names_.size(); }

 private:
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, std::uint32_t, text_hash, std::equal_to<>> numbers_;
  std::vector<const std::string*> names_;  // keys of `numbers_`, which stay where they are
};

/// The evidence of a file. Names of tenancies and workloads are numbered in the order of their texts, so that
/// nothing depends on the order of the lines: a tenancy's number is the `sequence` of its id.
struct evidence_file {
  std::vector<evidence> lines;
  name_table tenancies;
  name_table workloads;
};

/// @returns the file's evidence; or, with its line, what was expected.
outcome<evidence_file> read_evidence_file(const std::string& file);

/// Merges it all, and says on `io.err` what was left out and why.
void merge_evidence(attributor& who, const evidence_file& evidence, console& io);

}  // namespace tenure::cli
