#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sinks/storage.hpp"

namespace tenure::sinks {

/// What a test's storage took, and what it is to answer.
struct memory {
  std::string appended;
  std::size_t durable = 0;  // so many bytes were there at the last sync
  std::optional<failure> trouble;
};

class memory_storage final : public storage {
 public:
  explicit memory_storage(std::shared_ptr<memory> m) : memory_(std::move(m)) {}
  outcome<void> append(std::string_view bytes) override {
    if (memory_->trouble) return tl::unexpected(*memory_->trouble);
    memory_->appended += bytes;
    return {};
  }
  outcome<void> sync() override {
    if (memory_->trouble) return tl::unexpected(*memory_->trouble);
    memory_->durable = memory_->appended.size();
    return {};
  }

 private:
  std::shared_ptr<memory> memory_;
};

}  // namespace tenure::sinks
