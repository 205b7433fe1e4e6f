#pragma once

#include <functional>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "demo/directory.hpp"
#include "demo/fabric.hpp"
#include "demo/truth_message.hpp"
#include "demo/unique_fd.hpp"
#include "ownership/outcome.hpp"

namespace tenure::demo {

/// How to start the program of one container. Two descriptors are handed on by these numbers.
struct instance_program {
  static constexpr int control = 3;
  static constexpr int directory = 4;
  std::vector<std::string> arguments;  ///< the first is the file to execute
};

/// One process of the fleet in its own network, seen from outside. Killed and reaped with this object.
class instance_process {
 public:
  static outcome<std::unique_ptr<instance_process>> start(const instance_program& program,
                                                          std::unique_ptr<container_network> network,
                                                          const directory& d);
  ~instance_process();
  instance_process(const instance_process&) = delete;
  instance_process& operator=(const instance_process&) = delete;

  container_network& network() { return *network_; }
  /// False when it is gone.
  bool command(const instance_command& c);
  /// Hands over each message that has come, without waiting.
  /// @returns false when the process closed its end.
  bool listen(const std::function<void(const truth_message&)>& heard);
  /// Readable when it said something.
  int descriptor() const { return control_.get(); }
  /// Without a word: SIGKILL.
  void kill();
  /// In words, once it closed its end: "exit code 1", "signal 11".
  std::string how_it_ended();
  /// Waits for a message of this kind for `bound_ms` at most; the others that come are handed over, too.
  bool wait_for(truth_message::what kind, int bound_ms,
                const std::function<void(const truth_message&)>& heard);

 private:
  instance_process(std::unique_ptr<container_network> network, pid_t pid, unique_fd control)
      : network_(std::move(network)), pid_(pid), control_(std::move(control)) {}

  std::unique_ptr<container_network> network_;
  pid_t pid_;
  unique_fd control_;
};

}  // namespace tenure::demo
