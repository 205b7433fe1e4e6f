#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hold/packed_flow.hpp"
#include "ownership/outcome.hpp"
#include "ownership/raw_vector.hpp"
#include "sinks/block_tables.hpp"
#include "sinks/flow_record.hpp"
#include "sinks/storage.hpp"

/// Compressed blocks of records: docs/record.md describes the file. A block can be read on its own.
namespace tenure::sinks {

/// In front of each block, little endian.
struct block_head {
  static constexpr std::uint32_t right_magic = 0x31524e54;  // "TNR1"
  static constexpr std::uint32_t longest = 64U << 20;       ///< of either length

  std::uint32_t magic = right_magic;
  std::uint32_t compressed_bytes = 0;  ///< of the zstd frame behind this head, which has a checksum
  std::uint32_t raw_bytes = 0;         ///< of what is in it
  std::uint32_t records = 0;
  nanos to_utc = 0;  ///< to be added to the stamps in it

  bool plausible() const {
    return magic == right_magic && compressed_bytes > 0 && compressed_bytes <= longest &&
           raw_bytes <= longest;
  }
};
static_assert(sizeof(block_head) == 24);

/// Gathers records for one block.
class block_builder {
 public:
  block_builder();
  ~block_builder();
  block_builder(const block_builder&) = delete;
  block_builder& operator=(const block_builder&) = delete;

  void add(const flow_record& r);
  void add(const record_rows& rows);
  std::uint32_t records() const { return records_; }
  /// About how long the block would be before compression.
  std::size_t raw_bytes() const { return rows_used_ + answers_used_ + rows_of_batch_.bytes().size(); }

  /// Writes head and frame to where the records go, and begins anew. @pre there are records
  outcome<void> finish(const record_context& context, storage& to);

 private:
  void end_batch();
  void add_batch(const hold::row_base& base, std::string_view agent, std::uint32_t count,
                 std::span<const std::byte> bytes);
  char* room_for_answers(std::size_t count);
  char* write_answer(char* at, const verdict& v);
  void use(workload_id id) {
    const auto n = static_cast<std::size_t>(id);
    if (n >= has_name_.size() || has_name_[n] == 0) use_first(n);
  }
  void use_first(std::size_t id);
  void write_tables(const record_context& context);
  std::string_view whole();
  void restart();

  struct compressor;
  std::unique_ptr<compressor> zstd_;
  std::uint32_t records_ = 0;
  hold::packed_rows rows_of_batch_;
  std::string agent_;  ///< of the batch
  /// Room for the tables, then the batches before it, each behind its base; the block is made whole in it.
  raw_vector<char> raw_;
  std::size_t rows_at_ = 0;
  std::size_t rows_used_ = 0;
  raw_vector<char> answers_;  ///< its size is the room there is
  std::size_t answers_used_ = 0;
  block_names workloads_;
  std::vector<std::size_t> names_;      ///< that occur
  std::vector<std::uint8_t> has_name_;  ///< by id
  value_numbers incarnations_;
  agent_numbers agents_;
  std::string tables_;  ///< kept for its room
};

/// A block that was read: its records refer to it.
struct read_block {
  workload_table workloads;
  std::string region;
  std::vector<std::string> agents;
  std::vector<flow_record> records;
  nanos to_utc = 0;
};

/// @param frame the bytes behind the head. They may be anything: what is not a block is a failure.
outcome<std::unique_ptr<read_block>> open_block(const block_head& head, std::string_view frame);

}  // namespace tenure::sinks
