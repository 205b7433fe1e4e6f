#include "transport/asio_core.hpp"

#include <utility>

#include <asio/post.hpp>

#include "transport/asio_link.hpp"

namespace tenure::transport {

void asio_core::flush_soon(std::shared_ptr<asio_link> l) {
  const std::lock_guard lock(flushing_);
  to_flush_.push_back(std::move(l));
  if (to_flush_.size() == 1) asio::post(io, [self = shared_from_this()] { self->flush_all(); });
}

void asio_core::flush_all() {
  {
    const std::lock_guard lock(flushing_);
    flushed_.swap(to_flush_);
  }
  for (const auto& l : flushed_) l->flush();
  flushed_.clear();
}

}  // namespace tenure::transport
