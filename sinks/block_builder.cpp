#include <algorithm>
#include <cstring>
#include <new>
#include <zstd.h>

#include "ownership/invariant.hpp"
#include "sinks/block.hpp"
#include "sinks/block_bytes.hpp"

namespace tenure::sinks {

namespace {

// Speed before size, since rows are short already: of a flow's 69 bytes this leaves 63.6 and takes 57 ns.
// Level -5 with a table of 12 bits would leave 58.1 and take 95 ns, level -1 as it is 50 and three times as
// long.
constexpr int level = -8;
constexpr int hash_bits = 10;      // a table that stays in the processor's nearest cache
constexpr int shortest_match = 7;  // bytes

}  // namespace

struct block_builder::compressor {
  compressor() : context(ZSTD_createCCtx()) {
    if (context == nullptr) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, hash_bits);
    ZSTD_CCtx_setParameter(context, ZSTD_c_minMatch, shortest_match);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  }
  ~compressor() { ZSTD_freeCCtx(context); }
  compressor(const compressor&) = delete;
  compressor& operator=(const compressor&) = delete;

  ZSTD_CCtx* context;
};

block_builder::block_builder() : zstd_(std::make_unique<compressor>()) {}
block_builder::~block_builder() = default;

void block_builder::add_batch(const hold::row_base& base, std::string_view agent, std::uint32_t count,
                              std::span<const std::byte> bytes) {
  constexpr std::size_t base_bytes = 4 * sizeof(std::uint64_t) + 3 * sizeof(std::uint32_t);
  const std::size_t needed = rows_at_ + rows_used_ + base_bytes + bytes.size();
  if (raw_.size() < needed) raw_.resize(std::max(needed, raw_.size() * 2));
  char* at = raw_.data() + rows_at_ + rows_used_;
  at = put(at, base.incarnation);
  at = put(at, base.batch);
  at = put(at, base.time);
  at = put(at, base.near_high);
  at = put(at, agents_.number(agent));
  at = put(at, count);
  at = put(at, static_cast<std::uint32_t>(bytes.size()));
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  rows_used_ += base_bytes + bytes.size();
}

void block_builder::end_batch() {
  if (rows_of_batch_.empty()) return;
  add_batch(rows_of_batch_.base(), agent_, rows_of_batch_.count(), rows_of_batch_.bytes());
  rows_of_batch_.restart({});
}

void block_builder::use_first(std::size_t id) {
  if (id >= has_name_.size()) has_name_.resize(std::max(id + 1, has_name_.size() * 2));
  has_name_[id] = 1;
  names_.push_back(id);
}

char* block_builder::room_for_answers(std::size_t count) {
  constexpr std::size_t longest = 1 + 5 + 5 + 10 + 1;  // a byte behind it is written too
  const std::size_t needed = answers_used_ + count * longest;
  if (answers_.size() < needed) answers_.resize(std::max(needed, answers_.size() * 2));
  return answers_.data() + answers_used_;
}

/// @returns behind it
inline char* block_builder::write_answer(char* at, const verdict& v) {
  use(v.workload);
  *at++ = static_cast<char>(static_cast<unsigned>(v.basis) << 4 | static_cast<unsigned>(v.reason));
  if (!v.attributed()) return at;
  at = write_short(at, static_cast<std::uint32_t>(v.workload));
  at = write_short(at, incarnations_.number(v.tenancy.incarnation));
  return write_short(at, v.tenancy.sequence);
}

void block_builder::add(const flow_record& r) {
  const auto& f = r.flow;
  const auto& base = rows_of_batch_.base();
  if (rows_of_batch_.empty() || base.incarnation != f.id.incarnation || base.batch != f.id.batch ||
      f.id.index <= rows_of_batch_.last_index() || agent_ != r.agent) {
    end_batch();
    rows_of_batch_.restart({f.id.incarnation, f.id.batch, f.times.closed, f.near_address.high()});
    agent_ = r.agent;
  }
  rows_of_batch_.add(f);
  ++records_;
  use(f.near_workload);
  char* const at = room_for_answers(1);
  answers_used_ += static_cast<std::size_t>(write_answer(at, r.far) - at);
}

void block_builder::add(const record_rows& rows) {
  end_batch();
  const auto count = static_cast<std::uint32_t>(rows.answers.size());
  add_batch(rows.base, rows.agent, count, rows.bytes);
  records_ += count;
  hold::row_cursor cursor(rows.base, rows.bytes.data());
  char* at = room_for_answers(count);
  for (const auto& answer : rows.answers) {
    use(cursor.next_near_workload());
    at = write_answer(at, answer);
  }
  answers_used_ = static_cast<std::size_t>(at - answers_.data());
}

void block_builder::write_tables(const record_context& context) {
  tables_.clear();
  put_text(tables_, context.region);
  put(tables_, static_cast<std::uint32_t>(names_.size()));
  for (const auto id : names_) {
    put(tables_, static_cast<std::uint32_t>(id));
    put_text(tables_, workloads_.name(id, context.workloads));
  }
  put(tables_, static_cast<std::uint32_t>(agents_.size()));
  for (std::uint32_t n = 0; n < agents_.size(); ++n) put_text(tables_, agents_.name(n));
  put(tables_, static_cast<std::uint32_t>(incarnations_.values().size()));
  for (const auto i : incarnations_.values()) put(tables_, i);
  put(tables_, static_cast<std::uint32_t>(rows_used_));
}

/// Puts the tables in front of the rows, and the answers behind them.
std::string_view block_builder::whole() {
  const std::size_t front = std::max(rows_at_, tables_.size());
  const std::size_t needed = front + rows_used_ + answers_used_;
  if (raw_.size() < needed) raw_.resize(std::max(needed, raw_.size() * 2));
  if (front > rows_at_) {  // more names than ever: from now on there is room for them
    std::memmove(raw_.data() + front, raw_.data() + rows_at_, rows_used_);
    rows_at_ = front;
  }
  char* const begin = raw_.data() + rows_at_ - tables_.size();
  std::memcpy(begin, tables_.data(), tables_.size());
  char* const end = std::copy_n(answers_.data(), answers_used_, raw_.data() + rows_at_ + rows_used_);
  return {begin, static_cast<std::size_t>(end - begin)};
}

outcome<void> block_builder::finish(const record_context& context, storage& to) {
  end_batch();
  write_tables(context);
  const auto raw = whole();
  constexpr std::size_t before = sizeof(block_head);
  const auto room = to.room(before + ZSTD_compressBound(raw.size()));
  const std::size_t bytes =
      ZSTD_compress2(zstd_->context, room.data() + before, room.size() - before, raw.data(), raw.size());
  invariant(ZSTD_isError(bytes) == 0, "there is room for whatever zstd makes of a block");
  block_head head;
  head.compressed_bytes = static_cast<std::uint32_t>(bytes);
  head.raw_bytes = static_cast<std::uint32_t>(raw.size());
  head.records = records_;
  head.to_utc = context.to_utc;
  std::memcpy(room.data(), &head, before);
  restart();
  return to.take(before + bytes);
}

void block_builder::restart() {
  records_ = 0;
  rows_of_batch_.restart({});
  rows_used_ = 0;
  answers_used_ = 0;
  for (const auto id : names_) has_name_[id] = 0;
  names_.clear();
  incarnations_.clear();
  agents_.clear();
}

}  // namespace tenure::sinks
