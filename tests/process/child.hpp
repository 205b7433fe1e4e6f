#pragma once

#include <chrono>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tenure::testing {

/// A real process of this test. Everything is bounded; what still runs at the end is killed, by its id.
class child {
 public:
  /// Starts `arguments[0]` with both outputs captured in files of its own.
  explicit child(std::vector<std::string> arguments);
  ~child();
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  void signal(int number) const;
  /// The exit code, 128 + the number of the signal that ended it, or -1 when it still runs after the bound.
  int wait(std::chrono::seconds bound = std::chrono::seconds{30});
  /// Waits until stderr holds the text. @returns whether it came within the bound; false at once when the
  /// process has ended without it.
  bool says(const std::string& text, std::chrono::seconds bound = std::chrono::seconds{30});

  std::string out() const;
  std::string err() const;
  /// The file with what it said on stdout; gone with this.
  const std::string& out_path() const { return out_path_; }
  const std::string& err_path() const { return err_path_; }
  pid_t id() const { return id_; }

 private:
  bool ended();

  pid_t id_ = -1;
  int code_ = -1;
  std::string out_path_;
  std::string err_path_;
};

/// A folder of this test's own, removed with everything in it at the end.
class temporary_folder {
 public:
  temporary_folder();
  ~temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Asks again every few milliseconds until `done()` holds. @returns whether it did within the bound.
template <class Done>
bool eventually(Done done, std::chrono::seconds bound);

/// The `tenure` under test.
std::string tenure_binary();

/// What an HTTP GET answers; empty when nothing does.
std::string http_get(std::uint16_t port, const std::string& path, const std::string& host = "127.0.0.1");

/// The value of a metric without labels in Prometheus' text; -1 when it is not there.
double metric(const std::string& text, const std::string& name);

/// Whether the long forms of the checks are wanted (TENURE_LONG=1), as in `make soak`.
bool long_forms();

/// Waits a moment; for `eventually`, which asks for a thing and has no way to be told.
void pause_between_looks();

template <class Done>
bool eventually(Done done, std::chrono::seconds bound) {
  const auto end = std::chrono::steady_clock::now() + bound;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    pause_between_looks();
  }
  return true;
}

}  // namespace tenure::testing
