#include "demo/view.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace tenure::demo {
namespace {

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string_view name(workload_index w) {
  return catalogue()[w].name;
}

std::vector<std::string> head(const view_state& v) {
  const auto& c = v.counts;
  return {fmt::format("tenure demo   {:.0f} of {:.0f} s   seed {}   {} instances on {} addresses", v.elapsed,
                      v.of, v.seed, v.addresses.size(), 2 * v.addresses.size()),
          "",
          fmt::format("  flows          {:>8}   {:.0f}/s", c.flows, v.flows_per_second),
          fmt::format("  both named     {:>7.2f} %", 100.0 * c.both_named_share()),
          fmt::format("  misattributed  {:>8}   by the rule", c.misattributed),
          fmt::format("                 {:>8}   by current owner ({:.1f} %)", c.current_owner_misattributed,
                      share(c.current_owner_misattributed, c.flows)),
          fmt::format("  hand-overs     {:>8}", v.churn.handovers),
          ""};
}

std::vector<std::string> dependencies(const tally& c, std::size_t rows) {
  using entry = std::pair<std::pair<std::string, std::string>, std::uint64_t>;
  std::vector<entry> sorted(c.dependencies.begin(), c.dependencies.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const entry& a, const entry& b) { return a.second > b.second; });
  std::vector<std::string> lines{"  source      -> destination      flows"};
  for (const auto& [pair, count] : sorted) {
    if (lines.size() > rows) break;
    lines.push_back(fmt::format("  {:<11} -> {:<14} {:>8}", pair.first, pair.second, count));
  }
  return lines;
}

std::vector<std::string> handovers(const view_state& v, std::size_t rows) {
  std::vector<std::string> lines{
      "  address          had it       died       has it       ago      gap      current owner would be "
      "wrong in"};
  for (const auto& h : v.recent) {
    if (lines.size() > rows) break;
    const auto mistakes = v.counts.current_owner_mistakes.find(h.before);
    lines.push_back(fmt::format("  {:<16} {:<12} {:<10} {:<12} {:>4.1f} s {:>6.1f} ms {:>6} flows",
                                v.addresses.v4(h.slot).to_string(), name(h.was), words(h.how), name(h.is),
                                static_cast<double>(v.now - h.at) / second,
                                static_cast<double>(h.gap) / millisecond,
                                mistakes == v.counts.current_owner_mistakes.end() ? 0 : mistakes->second));
  }
  return lines;
}

}  // namespace

std::string render_view(const view_state& v, std::size_t width, std::size_t height) {
  auto lines = head(v);
  const std::size_t left = height > lines.size() + 4 ? height - lines.size() - 4 : 2;
  const std::size_t moved = std::min(left / 2, std::max<std::size_t>(v.recent.size(), 1));
  for (auto& l : dependencies(v.counts, left - moved)) lines.push_back(std::move(l));
  lines.emplace_back();
  for (auto& l : handovers(v, moved)) lines.push_back(std::move(l));
  if (lines.size() > height) lines.resize(height);
  std::string out;
  for (const auto& l : lines) out += l.substr(0, width) + "\n";
  return out;
}

std::string render_progress(const view_state& v) {
  const auto& c = v.counts;
  return fmt::format(
      "{:>4.0f} s  {} flows ({:.0f}/s), {:.2f} % both named, {} misattributed (current owner: {}), {} "
      "hand-overs\n",
      v.elapsed, c.flows, v.flows_per_second, 100.0 * c.both_named_share(), c.misattributed,
      c.current_owner_misattributed, v.churn.handovers);
}

}  // namespace tenure::demo
