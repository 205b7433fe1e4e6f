#include <cstdlib>
#include <exception>
#include <iostream>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"

namespace {

// Words go to stderr, so that data on stdout can be piped.
void log_to_stderr() {
  const auto colour = tenure::cli::may_colour(2) ? spdlog::color_mode::automatic : spdlog::color_mode::never;
  spdlog::set_default_logger(spdlog::stderr_color_mt("tenure", colour));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::ios::sync_with_stdio(false);
    log_to_stderr();
    tenure::cli::command_line line(
        "Names the workload at the other end of every network flow, or says why it cannot.", TENURE_VERSION);
    tenure::cli::add_commands(line);
    const int code = line.run({argv + 1, argv + argc}, [](const char* name) { return std::getenv(name); },
                              {std::cout, std::cerr});
    std::cout.flush();
    return code;
  } catch (const std::exception& e) {
    std::cerr << "tenure: unexpected: " << e.what() << "; please report this\n";
    return 3;
  }
}
