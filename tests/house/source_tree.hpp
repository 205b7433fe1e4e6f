#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tenure::house {

/// A file of the tree, or one that a test planted.
struct source_file {
  std::string path;  ///< from the top of the tree: "ownership/address.hpp"
  std::string text;

  std::string_view folder() const;     ///< "ownership"; empty for files at the top
  std::string_view extension() const;  ///< ".hpp"
  std::string_view stem() const;       ///< "address"
  /// C, C++ or their headers.
  bool code() const;
  std::vector<std::string_view> lines() const;
};

/// Every text file below `root` that belongs to the project: all but version control and build folders.
std::vector<source_file> read_tree(const std::filesystem::path& root);

/// A line without its `//` comment and without what stands in string literals.
std::string only_code(std::string_view line);

}  // namespace tenure::house
