#pragma once

#include <string>

#include "demo/unique_fd.hpp"
#include "ownership/outcome.hpp"

namespace tenure::demo {

/// A run's own folder under /run, by whose lock the next run tells what is alive from what a crash left
/// behind.
class run_folder {
 public:
  /// Removes what dead runs left (namespaces, pinned maps, folders), then makes and locks a folder for this
  /// process.
  static outcome<run_folder> create();
  run_folder(run_folder&&) = default;
  ~run_folder();

  /// "tenure-demo-4711": the first part of every name that this run gives.
  const std::string& name() const { return name_; }
  std::string path() const;
  /// Where this run's agent may pin its maps; removed at the end.
  std::string pin_path() const;

 private:
  run_folder() = default;
  std::string name_;
  unique_fd lock_;
};

}  // namespace tenure::demo
