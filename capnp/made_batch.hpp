#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "capnp/codec.hpp"

namespace tenure::wire {

using flow_maker = void (*)(void* context, std::uint32_t index, flow& out);

/// A batch as a frame, as `encode` has it, whose flows are made while they are written: there is no list of
/// them.
/// @param tables a batch without flows; every tenancy that a flow names stands in it
/// @param make called with each index, in order, and a flow, as the call before left it
/// @pre no flow has `dialled`, and the frame fits max_frame_bytes
frame encode_made(const batch& tables, std::uint32_t flows, flow_maker make, void* context);

template <class Make>
frame encode_made(const batch& tables, std::uint32_t flows, Make&& make) {
  using maker = std::remove_reference_t<Make>;
  return encode_made(
      tables, flows, [](void* to, std::uint32_t index, flow& out) { (*static_cast<maker*>(to))(index, out); },
      std::addressof(make));
}

}  // namespace tenure::wire
