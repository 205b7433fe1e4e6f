#pragma once

namespace tenure::cli {

/// From now on the heap grows by huge pages, where the system gives them to who asks, and keeps what is freed
/// for ten minutes: for a node, which walks over hundreds of megabytes of frames and lots, second by second.
/// To have a page back that was given to the system costs more than all that is done with the flows on it. To
/// be called before there are threads. Only with jemalloc.
void take_huge_pages();

}  // namespace tenure::cli
