#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "capnp/codec.hpp"

namespace tenure::wire {

using flow_maker = void (*)(void* context, std::uint32_t index, flow& out);

/// A batch as a frame, as `encode` has it, whose flows are made while they are written: there is no list of
/// them.
/// @param packed as a packed batch; then flows may only name tenancies with near_workload, of the tables',
/// and the tables need not have these
/// @param tables a batch without flows; every tenancy that a flow names stands in it, unless packed
/// @param make called with each index, in order, and a flow, as the call before left it
/// @pre no flow has `dialled`, unless packed, and the frame fits max_frame_bytes
frame encode_made(bool packed, const batch& tables, std::uint32_t flows, flow_maker make, void* context);

template <class Make>
frame encode_made(bool packed, const batch& tables, std::uint32_t flows, Make&& make) {
  using maker = std::remove_reference_t<Make>;
  return encode_made(
      packed, tables, flows,
      [](void* to, std::uint32_t index, flow& out) { (*static_cast<maker*>(to))(index, out); },
      std::addressof(make));
}

}  // namespace tenure::wire
