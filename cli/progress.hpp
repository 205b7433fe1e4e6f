#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

namespace tenure::cli {

/// How far a long piece of work is: a bar that is drawn over itself on a terminal, otherwise a line for each
/// twentieth.
class progress {
 public:
  /// @param total how many pieces there are, of which `done` are done already
  /// @param coloured of a bar
  progress(std::ostream& err, std::string what, std::size_t done, std::size_t total, bool bar, bool coloured);
  ~progress();
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  void advance(std::size_t pieces);
  /// Words in between: takes the bar away, and draws it again below them.
  void say(const std::string& line);

 private:
  std::string line() const;
  void draw();
  void erase();

  std::ostream& err_;
  std::string what_;
  std::size_t began_at_;
  std::size_t done_;
  std::size_t total_;
  bool bar_;
  bool coloured_;
  double began_;  ///< seconds of the steady clock
};

}  // namespace tenure::cli
