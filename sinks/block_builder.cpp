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

std::uint32_t block_builder::agent_number(std::string_view name) {
  agent_name_ = name;
  const auto [at, is_new] =
      agent_numbers_.try_emplace(agent_name_, static_cast<std::uint32_t>(agents_.size()));
  if (is_new) agents_.emplace_back(name);
  return at->second;
}

void block_builder::add_batch(const hold::row_base& base, std::string_view agent, std::uint32_t count,
                              std::span<const std::byte> bytes) {
  put(rows_, base.incarnation);
  put(rows_, base.batch);
  put(rows_, base.time);
  put(rows_, base.near_high);
  put(rows_, agent_number(agent));
  put(rows_, count);
  put(rows_, static_cast<std::uint32_t>(bytes.size()));
  rows_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void block_builder::end_batch() {
  if (rows_of_batch_.empty()) return;
  add_batch(rows_of_batch_.base(), agent_, rows_of_batch_.count(), rows_of_batch_.bytes());
  rows_of_batch_.restart({});
}

void block_builder::use(workload_id id) {
  const auto n = static_cast<std::size_t>(id);
  if (n >= has_name_.size()) has_name_.resize(std::max(n + 1, has_name_.size() * 2));
  if (has_name_[n] != 0) return;
  has_name_[n] = 1;
  names_.push_back(id);
}

// The same thousands of incarnations come again and again, one different from the one before.
std::uint32_t block_builder::incarnation_number(std::uint64_t incarnation) {
  constexpr std::size_t asked = 4096;
  if (numbers_asked_.empty()) numbers_asked_.resize(asked);
  auto& likely = numbers_asked_[(incarnation * 0x9e37'79b9'7f4a'7c15ULL) >> 52];
  if (likely < incarnations_.size() && incarnations_[likely] == incarnation) return likely;
  const auto [at, is_new] =
      incarnation_numbers_.try_emplace(incarnation, static_cast<std::uint32_t>(incarnations_.size()));
  if (is_new) incarnations_.push_back(incarnation);
  return likely = at->second;
}

char* block_builder::room_for_answers(std::size_t count) {
  constexpr std::size_t longest = 1 + 5 + 5 + 10;
  const std::size_t needed = answers_used_ + count * longest;
  if (answers_.size() < needed) answers_.resize(std::max(needed, answers_.size() * 2));
  return answers_.data() + answers_used_;
}

/// @returns behind it
char* block_builder::write_answer(char* at, const verdict& v) {
  use(v.workload);
  *at++ = static_cast<char>(static_cast<unsigned>(v.basis) << 4 | static_cast<unsigned>(v.reason));
  if (!v.attributed()) return at;
  at = write_short(at, static_cast<std::uint32_t>(v.workload));
  at = write_short(at, incarnation_number(v.tenancy.incarnation));
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

std::string_view block_builder::finish(const record_context& context) {
  end_batch();
  raw_.clear();
  put_text(raw_, context.region);
  put(raw_, static_cast<std::uint32_t>(names_.size()));
  for (const auto id : names_) {
    put(raw_, static_cast<std::uint32_t>(id));
    put_text(raw_, context.workloads.name(id));
    has_name_[static_cast<std::size_t>(id)] = 0;
  }
  put(raw_, static_cast<std::uint32_t>(agents_.size()));
  for (const auto& name : agents_) put_text(raw_, name);
  put(raw_, static_cast<std::uint32_t>(incarnations_.size()));
  for (const auto i : incarnations_) put(raw_, i);
  put(raw_, static_cast<std::uint32_t>(rows_.size()));
  raw_ += rows_;
  raw_.append(answers_.data(), answers_used_);

  constexpr std::size_t before = sizeof(block_head);
  const std::size_t bound = before + ZSTD_compressBound(raw_.size());
  if (compressed_.size() < bound) compressed_.resize(bound);
  const std::size_t bytes = ZSTD_compress2(zstd_->context, compressed_.data() + before,
                                           compressed_.size() - before, raw_.data(), raw_.size());
  invariant(ZSTD_isError(bytes) == 0, "there is room for whatever zstd makes of a block");
  block_head head;
  head.compressed_bytes = static_cast<std::uint32_t>(bytes);
  head.raw_bytes = static_cast<std::uint32_t>(raw_.size());
  head.records = records_;
  head.to_utc = context.to_utc;
  std::memcpy(compressed_.data(), &head, before);

  records_ = 0;
  rows_of_batch_.restart({});
  rows_.clear();
  answers_used_ = 0;
  names_.clear();
  incarnations_.clear();
  incarnation_numbers_.clear();
  agents_.clear();
  agent_numbers_.clear();
  return {compressed_.data(), before + bytes};
}

}  // namespace tenure::sinks
