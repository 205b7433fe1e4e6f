#pragma once

#include <string>

#include "ownership/outcome.hpp"

namespace tenure::cli {

/// A file that rows are appended to, one write each, by one process at a time. What was cut off in the middle
/// of a row when its writer was killed is cut away when it is opened again.
class row_file {
 public:
  static outcome<row_file> open(const std::string& path);
  row_file(row_file&& other) noexcept;
  row_file& operator=(row_file&&) = delete;
  ~row_file();

  /// The whole rows that were there when it was opened.
  const std::string& found() const { return found_; }
  /// @param rows each ended by its line feed
  outcome<void> append(const std::string& rows);

 private:
  row_file(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  outcome<void> read();
  tl::unexpected<failure> refused(const char* why) const;

  std::string path_;
  int descriptor_;
  std::string found_;
};

}  // namespace tenure::cli
