#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "sinks/sinks.hpp"
#include "sinks/storage_sink.hpp"
#include "sinks/write_text.hpp"

namespace tenure::sinks {

namespace {

constexpr std::size_t name_width = 20;
constexpr std::size_t endpoint_width = 21;  // "255.255.255.255:65535"

constexpr std::string_view plain = "\x1b[0m";
constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view faint = "\x1b[2m";
constexpr std::string_view yellow = "\x1b[33m";
constexpr std::string_view red = "\x1b[31m";

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

/// A name as wide as its column. Control bytes, which could steer the terminal, become '?'.
std::string column(std::string_view name, std::size_t width) {
  std::string out;
  std::size_t wide = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    if (begins_character(c) && ++wide > width) break;
    auto byte = static_cast<unsigned char>(c);
    bool control = byte < 0x20 || byte == 0x7f ||
                   (byte == 0xc2 && i + 1 < name.size() && static_cast<unsigned char>(name[i + 1]) < 0xa0);
    out += control ? '?' : c;
    if (control && byte == 0xc2) ++i;
  }
  if (wide < width) out.append(width - wide, ' ');
  return out;
}

std::string place(const address& a, std::uint16_t port) {
  auto host = a.is_v4() ? a.to_string() : "[" + a.to_string() + "]";
  return fmt::format("{:<{}}", fmt::format("{}:{}", host, port), endpoint_width);
}

std::string amount(std::uint64_t bytes) {
  static constexpr const char* units[] = {"B ", "kB", "MB", "GB", "TB", "PB", "EB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < std::size(units)) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:>5} {}", bytes, units[0])
                   : fmt::format("{:>5.1f} {}", value, units[unit]);
}

class readable_sink final : public storage_sink {
 public:
  readable_sink(std::unique_ptr<storage> out, bool colour) : storage_sink(std::move(out)), colour_(colour) {}

  outcome<void> append(std::span<const flow_record> records, const record_context& context) override {
    lines_.clear();
    for (const auto& r : records) add(r, context);
    return where().append(lines_);
  }

 private:
  outcome<void> hand_over() override { return {}; }

  std::string paint(std::string_view colour, std::string text) const {
    return colour_ ? fmt::format("{}{}{}", colour, text, plain) : text;
  }

  std::string far_name(const verdict& v, const workload_table& workloads) const {
    if (v.attributed()) return paint(bold, column(workloads.name(v.workload), name_width));
    auto text = column(fmt::format("? {}", to_string(v.reason)), name_width);
    return paint(v.reason == reason::conflict ? red : yellow, std::move(text));
  }

  std::string near_name(workload_id id, const workload_table& workloads) const {
    return id == workload_id::none ? paint(faint, column("?", name_width))
                                   : paint(bold, column(workloads.name(id), name_width));
  }

  void add(const flow_record& r, const record_context& context) {
    const auto& f = r.flow;
    auto near = near_name(f.near_workload, context.workloads) + ' ' + place(f.near_address, f.near_port);
    auto far = far_name(r.far, context.workloads) + ' ' + place(f.far_address, f.far_port);
    bool near_opened = f.reporter == reporter::source;
    if (!near_opened) std::swap(near, far);
    auto forth = near_opened ? f.counters.bytes_sent : f.counters.bytes_received;
    auto back = near_opened ? f.counters.bytes_received : f.counters.bytes_sent;
    auto how = f.transport == transport_protocol::udp        ? "udp"
               : f.times.is_established || f.connections > 1 ? "tcp"
                                                             : "tcp, failed";
    const auto* const why = f.connect_errno == 0 ? nullptr : ::strerrorname_np(f.connect_errno);
    const auto failed = why == nullptr ? std::string() : fmt::format(" ({})", why);
    char stamp[32];
    time_.write(stamp, saturating_add(f.times.closed, context.to_utc));
    // Of "2026-11-21T07:16:08.123456789Z" the time of day, to the millisecond.
    const auto dialled =
        f.dialled.port == 0 ? std::string() : fmt::format(", dialled {}", f.dialled.to_string());
    const auto several = f.connections == 1 ? std::string() : fmt::format(", {} connections", f.connections);
    fmt::format_to(std::back_inserter(lines_), "{}  {} → {}  {} → {} ←  {:>8.2f} ms  {}{}{}{}\n",
                   paint(faint, std::string(stamp + 11, 12)), near, far, amount(forth), amount(back),
                   static_cast<double>(f.counters.srtt_us) / 1000, how, failed, several, dialled);
  }

  bool colour_;
  time_writer time_;
  std::string lines_;
};

}  // namespace

std::unique_ptr<record_sink> make_readable_sink(std::unique_ptr<storage> where, bool colour) {
  return std::make_unique<readable_sink>(std::move(where), colour);
}

}  // namespace tenure::sinks
