#include "demo/screen.hpp"

#include <cerrno>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace tenure::demo {
namespace {

constexpr nanos between_lines = 5 * second;
constexpr std::string_view home = "\x1b[H";
constexpr std::string_view clear_screen = "\x1b[2J";
constexpr std::string_view clear_to_end_of_line = "\x1b[K";
constexpr std::string_view clear_below = "\x1b[J";
constexpr std::string_view hide_cursor = "\x1b[?25l";
constexpr std::string_view show_cursor = "\x1b[?25h";

}  // namespace

screen::screen(int descriptor) : descriptor_(descriptor), terminal_(::isatty(descriptor) == 1) {}

screen::~screen() {
  if (drawn_) write(std::string(show_cursor) + "\n");
}

void screen::write(const std::string& text) const {
  std::string_view left = text;
  while (!left.empty()) {
    const ssize_t size = ::write(descriptor_, left.data(), left.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;  // nobody looks; the verdict does not depend on it
    left.remove_prefix(static_cast<std::size_t>(size));
  }
}

void screen::show(const view_state& v) {
  if (!terminal_) {
    if (v.now < next_line_) return;
    next_line_ = v.now + between_lines;
    write(render_progress(v));
    return;
  }
  winsize size{};
  const bool known = ::ioctl(descriptor_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
  const std::string text = render_view(v, known ? size.ws_col : 80, known ? size.ws_row - 1U : 24);
  std::string out(drawn_ ? "" : clear_screen);
  out += hide_cursor;
  out += home;
  for (const char c : text) {
    if (c == '\n') out += clear_to_end_of_line;
    out += c;
  }
  out += clear_below;
  write(out);
  drawn_ = true;
}

}  // namespace tenure::demo
