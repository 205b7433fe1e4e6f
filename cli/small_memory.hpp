#pragma once

namespace tenure::cli {

/// Gives back to the system what is not used now, and from now on soon what becomes unused: for an agent,
/// that is small and shall stay so once the kernel programs are loaded (which takes ten times what it needs
/// afterwards). Of the heap only with jemalloc.
void keep_memory_small();

}  // namespace tenure::cli
