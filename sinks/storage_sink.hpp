#pragma once

#include <memory>
#include <utility>

#include "sinks/record_sink.hpp"
#include "sinks/storage.hpp"

namespace tenure::sinks {

/// A sink whose records become bytes in a storage.
class storage_sink : public record_sink {
 public:
  outcome<void> make_durable() final {
    if (auto done = hand_over(); !done) return done;
    return where_->sync();
  }
  void make_durable_then(settled done) final {
    if (auto handed = hand_over(); !handed) return done(tl::unexpected(handed.error()));
    where_->sync_then(std::move(done));
  }
  bool busy() const final { return where_->busy(); }
  std::size_t unwritten() const final { return where_->unwritten(); }
  bool full() const final { return where_->waiting() > 0; }

 protected:
  explicit storage_sink(std::unique_ptr<storage> where) : where_(std::move(where)) {}

  storage& where() { return *where_; }

 private:
  /// Gives the storage what it was not given yet.
  virtual outcome<void> hand_over() = 0;

  std::unique_ptr<storage> where_;
};

}  // namespace tenure::sinks
