#include <algorithm>
#include <zstd.h>

#include <fmt/format.h>

#include "sinks/block.hpp"
#include "sinks/block_bytes.hpp"

namespace tenure::sinks {

namespace {

tl::unexpected<failure> broken(std::string_view what) {
  return fail(trouble::usage, fmt::format("a broken block: {}", what));
}

/// Where the bytes of one batch's rows may lie: each row begins where the one before it ends.
bool rows_fit(std::string_view bytes, std::uint32_t count) {
  constexpr std::size_t shortest = 7;
  for (; count > 0 && bytes.size() >= shortest; --count) {
    const auto length = static_cast<std::uint8_t>(bytes.front());
    if (length < shortest || length > hold::max_row_bytes || length > bytes.size()) return false;
    bytes.remove_prefix(length);
  }
  return count == 0 && bytes.empty();
}

class reader {
 public:
  reader(const block_head& head, std::string_view raw) : head_(head), in_(raw) {}

  outcome<std::unique_ptr<read_block>> read() {
    block_->to_utc = head_.to_utc;
    block_->region = in_.take_text();
    if (!read_tables()) return broken("its tables");
    const auto rows = in_.take_bytes(in_.take<std::uint32_t>());
    if (in_.short_of() || !read_rows(byte_taker(rows))) return broken("its rows");
    if (block_->records.size() != head_.records || !read_answers()) return broken("its answers");
    return std::move(block_);
  }

 private:
  bool read_tables() {
    for (auto n = in_.take<std::uint32_t>(); n > 0 && !in_.short_of(); --n) {
      const auto id = in_.take<std::uint32_t>();
      const auto known = block_->workloads.intern(in_.take_text());
      if (!known) return false;
      names_[id] = *known;
    }
    for (auto n = in_.take<std::uint32_t>(); n > 0 && !in_.short_of(); --n)
      block_->agents.emplace_back(in_.take_text());
    for (auto n = in_.take<std::uint32_t>(); n > 0 && !in_.short_of(); --n)
      incarnations_.push_back(in_.take<std::uint64_t>());
    return !in_.short_of();
  }

  bool read_rows(byte_taker in) {
    while (!in.empty()) {
      hold::row_base base;
      base.incarnation = in.take<std::uint64_t>();
      base.batch = in.take<std::uint64_t>();
      base.time = in.take<nanos>();
      base.near_high = in.take<std::uint64_t>();
      const auto agent = in.take<std::uint32_t>();
      const auto count = in.take<std::uint32_t>();
      const auto bytes = in.take_bytes(in.take<std::uint32_t>());
      if (in.short_of() || agent >= block_->agents.size() || !rows_fit(bytes, count)) return false;
      hold::row_cursor rows(base, reinterpret_cast<const std::byte*>(bytes.data()));
      for (std::uint32_t i = 0; i < count; ++i) {
        auto& r = block_->records.emplace_back();
        rows.next(r.flow);
        r.flow.near_workload = name_of(r.flow.near_workload);
        r.agent = block_->agents[agent];
      }
    }
    return !in.short_of();
  }

  bool read_answers() {
    for (auto& r : block_->records) {
      const auto answer = in_.take<std::uint8_t>();
      r.far = unattributed(static_cast<reason>(answer & 15));
      r.far.basis = static_cast<basis>(answer >> 4);
      if ((answer & 15) > static_cast<unsigned>(reason::between) ||
          (answer >> 4) > static_cast<unsigned>(basis::paired))
        return false;
      if (r.far.reason != reason::none) continue;
      r.far.workload = name_of(workload_id{static_cast<std::uint32_t>(in_.take_short())});
      const auto incarnation = in_.take_short();
      if (incarnation >= incarnations_.size()) return false;
      r.far.tenancy = {incarnations_[incarnation], in_.take_short()};
    }
    return !in_.short_of() && in_.empty();
  }

  workload_id name_of(workload_id id) const {
    const auto at = names_.find(static_cast<std::uint32_t>(id));
    return at == names_.end() ? workload_id::none : at->second;
  }

  const block_head& head_;
  byte_taker in_;
  std::unique_ptr<read_block> block_ = std::make_unique<read_block>();
  std::unordered_map<std::uint32_t, workload_id> names_;
  std::vector<std::uint64_t> incarnations_;
};

}  // namespace

outcome<std::unique_ptr<read_block>> open_block(const block_head& head, std::string_view frame) {
  if (!head.plausible() || frame.size() != head.compressed_bytes) return broken("its head");
  // A row that is not what it says may be read beyond its end, and not further than this.
  std::string raw(head.raw_bytes + hold::max_row_bytes + hold::row_slack, '\0');
  const std::size_t bytes = ZSTD_decompress(raw.data(), head.raw_bytes, frame.data(), frame.size());
  if (ZSTD_isError(bytes) != 0) return broken(ZSTD_getErrorName(bytes));
  if (bytes != head.raw_bytes) return broken("its length");
  return reader(head, std::string_view(raw).substr(0, bytes)).read();
}

}  // namespace tenure::sinks
