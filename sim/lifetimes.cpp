#include "sim/lifetimes.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>

namespace tenure::sim {

std::vector<quantile> container_lifetimes() {
  constexpr nanos minute = 60 * second;
  constexpr nanos day = 24 * 60 * minute;
  return {{0.0, second},       {0.22, 10 * second}, {0.39, minute}, {0.54, 5 * minute},
          {0.77, 60 * minute}, {0.86, day},         {1.0, 7 * day}};
}

nanos draw_lifetime(std::span<const quantile> quantiles, random& draw) {
  return lifetime_at(quantiles, draw.unit());
}

nanos lifetime_at(std::span<const quantile> quantiles, double u) {
  invariant(!quantiles.empty(), "a lifetime distribution has a point");
  quantile low{0, std::max<nanos>(quantiles.front().age, 1)};
  for (const auto& high : quantiles) {
    if (u <= high.share && high.share > low.share) {
      const double place = (u - low.share) / (high.share - low.share);
      const double bottom = std::log(static_cast<double>(low.age));
      const double top = std::log(static_cast<double>(std::max<nanos>(high.age, 1)));
      return static_cast<nanos>(std::exp(bottom + place * (top - bottom)));
    }
    low = high;
  }
  return quantiles.back().age;
}

std::vector<quantile> lifetimes_from_file(
    const std::string& file, const std::function<std::optional<nanos>(std::string_view)>& read_span) {
  std::ifstream in(file);
  std::vector<nanos> lives;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    const auto life = read_span(line);
    if (!life || *life <= 0) return {};
    lives.push_back(*life);
  }
  std::ranges::sort(lives);
  std::vector<quantile> all;
  if (!lives.empty()) all.push_back({0, lives.front()});
  for (std::size_t i = 0; i < lives.size(); ++i)
    all.push_back({static_cast<double>(i + 1) / static_cast<double>(lives.size()), lives[i]});
  return all;
}

std::vector<quantile> scaled(std::vector<quantile> quantiles, double factor) {
  for (auto& q : quantiles) q.age = static_cast<nanos>(static_cast<double>(q.age) * factor);
  return quantiles;
}

}  // namespace tenure::sim
