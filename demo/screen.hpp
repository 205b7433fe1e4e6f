#pragma once

#include "demo/view.hpp"

namespace tenure::demo {

/// Where the live view is drawn: over itself on a terminal; elsewhere a line now and then.
class screen {
 public:
  /// @param descriptor of stderr, usually.
  explicit screen(int descriptor);
  /// Leaves the cursor below the last view.
  ~screen();
  screen(const screen&) = delete;
  screen& operator=(const screen&) = delete;

  void show(const view_state& v);

 private:
  void write(const std::string& text) const;

  int descriptor_;
  bool terminal_;
  bool drawn_ = false;
  nanos next_line_ = 0;
};

}  // namespace tenure::demo
