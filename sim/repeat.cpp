#include "sim/repeat.hpp"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace tenure::sim {
namespace {

/// Takes memory and gives half of it back, in no order: what is taken from then on fills the holes.
class scattered_heap {
 public:
  explicit scattered_heap(random draw) {
    constexpr std::size_t pieces = 50'000;
    constexpr std::size_t most_bytes = 512;
    for (std::size_t i = 0; i < pieces; ++i)
      kept_.push_back(std::make_unique<std::byte[]>(1 + draw.below(most_bytes)));
    for (std::size_t i = kept_.size() - 1; i > 0; --i) std::swap(kept_[i], kept_[draw.below(i + 1)]);
    kept_.resize(pieces / 2);
  }

 private:
  std::vector<std::unique_ptr<std::byte[]>> kept_;
};

}  // namespace

void repeat(const scenario& options, std::uint64_t seed, report& first) {
  const scattered_heap elsewhere{random{seed}};
  if (run(options, seed).hash == first.hash) return;
  ++first.violation_count;
  first.violations.push_back({"I8", 0, "the same seed gave another run"});
}

}  // namespace tenure::sim
