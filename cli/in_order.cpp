#include "cli/in_order.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace tenure::cli {

namespace {

// Who has a block of an earlier part of the file never waits for who has a later one, so all come to an end.
class block_line {
 public:
  explicit block_line(block_source source) : source_(std::move(source)) {}

  void work(block_worker& worker) {
    line_block block;
    for (;;) {
      outcome<bool> any = false;
      const std::uint64_t turn = fill(block, any);
      if (any && !*any) return;
      outcome<void> read;
      std::exception_ptr thrown;
      try {
        if (any) read = worker.read(block);
      } catch (...) {
        thrown = std::current_exception();
      }
      if (!in_turn(turn, [&] { take(worker, block, any, read, thrown); })) return;
    }
  }

  outcome<void> result() const {
    if (thrown_) std::rethrow_exception(thrown_);
    return result_;
  }

 private:
  std::uint64_t fill(line_block& block, outcome<bool>& any) {
    const std::lock_guard lock(reading_);
    any = source_.fill(block);
    return next_block_++;
  }

  // @returns whether to go on.
  template <class Do>
  bool in_turn(std::uint64_t turn, Do&& it) {
    std::unique_lock lock(handing_over_);
    turn_came_.wait(lock, [&] { return turn_ == turn || stopped_; });
    if (stopped_) return false;
    try {
      it();
    } catch (...) {
      thrown_ = std::current_exception();
      stopped_ = true;
    }
    ++turn_;
    turn_came_.notify_all();
    return !stopped_;
  }

  void take(block_worker& worker, const line_block& block, const outcome<bool>& any,
            const outcome<void>& read, const std::exception_ptr& thrown) {
    if (thrown)
      thrown_ = thrown;
    else if (!any)
      result_ = tl::unexpected(any.error());
    else if (!read)
      result_ =
          fail(read.error().trouble, source_.file() + ':' + std::to_string(lines_before_ + block.number()) +
                                         ": " + read.error().text);
    else
      result_ = worker.hand_over();
    lines_before_ += block.number();
    stopped_ = thrown_ || !result_;
  }

  std::mutex reading_;
  block_source source_;
  std::uint64_t next_block_ = 0;

  std::mutex handing_over_;
  std::condition_variable turn_came_;
  std::uint64_t turn_ = 0;
  std::uint64_t lines_before_ = 0;
  bool stopped_ = false;
  outcome<void> result_;
  std::exception_ptr thrown_;
};

}  // namespace

outcome<void> read_in_order(const std::string& file, std::span<const std::unique_ptr<block_worker>> workers) {
  auto source = block_source::open(file);
  if (!source) return tl::unexpected(source.error());
  block_line blocks(std::move(*source));
  {
    std::vector<std::jthread> threads;
    for (const auto& worker : workers.subspan(1)) threads.emplace_back([&] { blocks.work(*worker); });
    blocks.work(*workers.front());
  }
  return blocks.result();
}

unsigned workers_for(unsigned jobs) {
  return jobs > 0 ? jobs : std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace tenure::cli
