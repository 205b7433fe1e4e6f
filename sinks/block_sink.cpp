#include <string>
#include <utility>

#include "sinks/block.hpp"
#include "sinks/sinks.hpp"
#include "sinks/storage_sink.hpp"

namespace tenure::sinks {

namespace {

/// Large enough that names and tables weigh nothing, small enough for the processor's cache.
constexpr std::size_t raw_bytes_a_block = 512U << 10;

class block_sink final : public storage_sink {
 public:
  explicit block_sink(std::unique_ptr<storage> where) : storage_sink(std::move(where)) {}

  outcome<void> append(std::span<const flow_record> records, const record_context& context) override {
    for (const auto& r : records) block_.add(r);
    return added(context);
  }

  outcome<void> append_rows(const record_rows& rows, const record_context& context) override {
    block_.add(rows);
    return added(context);
  }

 private:
  outcome<void> added(const record_context& context) {
    // Names and the clock's distance are needed when the block ends, which may be without records.
    workloads_ = &context.workloads;
    region_ = context.region;
    to_utc_ = context.to_utc;
    if (block_.raw_bytes() < raw_bytes_a_block) return {};
    return hand_over();
  }

  outcome<void> hand_over() override {
    if (block_.records() == 0) return {};
    return block_.finish({*workloads_, region_, to_utc_}, where());
  }

  block_builder block_;
  const workload_table* workloads_ = nullptr;
  std::string region_;
  nanos to_utc_ = 0;
};

}  // namespace

std::unique_ptr<record_sink> make_block_sink(std::unique_ptr<storage> where) {
  return std::make_unique<block_sink>(std::move(where));
}

}  // namespace tenure::sinks
