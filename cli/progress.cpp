#include "cli/progress.hpp"

#include <algorithm>
#include <chrono>
#include <ostream>

#include <fmt/format.h>

namespace tenure::cli {
namespace {

constexpr std::size_t width = 30;
constexpr std::size_t lines = 20;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string time_text(double seconds) {
  const auto s = static_cast<std::uint64_t>(seconds + 0.5);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
}

}  // namespace

progress::progress(std::ostream& err, std::string what, std::size_t done, std::size_t total, bool bar,
                   bool coloured)
    : err_(err),
      what_(std::move(what)),
      began_at_(done),
      done_(done),
      total_(std::max<std::size_t>(total, 1)),
      bar_(bar),
      coloured_(coloured),
      began_(now()) {
  if (bar_) draw();
}

progress::~progress() {
  if (!bar_) return;
  err_ << '\n';
  err_.flush();
}

void progress::advance(std::size_t pieces) {
  const auto before = done_ * lines / total_;
  done_ += pieces;
  if (bar_)
    draw();
  else if (done_ * lines / total_ != before)
    (err_ << "tenure: " << line() << '\n').flush();
}

void progress::say(const std::string& text) {
  if (bar_) erase();
  err_ << text << '\n';
  if (bar_) draw();
}

std::string progress::line() const {
  std::string text = fmt::format("{} of {} {} ({} %)", done_, total_, what_, done_ * 100 / total_);
  const double passed = now() - began_;
  if (done_ == total_) return text + ", took " + time_text(passed);
  if (done_ == began_at_) return text;
  const double left = passed / static_cast<double>(done_ - began_at_) * static_cast<double>(total_ - done_);
  return text + ", " + time_text(left) + " left";
}

void progress::draw() {
  erase();
  const auto full = std::min(done_ * width / total_, width);
  std::string bar;
  if (coloured_) bar += "\x1b[36m";
  for (std::size_t i = 0; i < width; ++i) bar += i < full ? "█" : "░";
  if (coloured_) bar += "\x1b[0m";
  err_ << bar << ' ' << line();
  err_.flush();
}

void progress::erase() {
  err_ << "\r\x1b[K";
}

}  // namespace tenure::cli
