#pragma once

namespace tenure::cli {

/// From now on the heap grows by huge pages, where the system gives them to who asks: for a node, which walks
/// over hundreds of megabytes of frames and lots. To be called before there are threads. Only with jemalloc.
void take_huge_pages();

}  // namespace tenure::cli
