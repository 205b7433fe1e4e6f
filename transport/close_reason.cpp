#include "transport/transport.hpp"

namespace tenure::transport {

const char* to_string(close_reason r) {
  switch (r) {
    case close_reason::closed_here:
      return "closed here";
    case close_reason::closed_there:
      return "closed by the other side";
    case close_reason::refused:
      return "refused";
    case close_reason::timed_out:
      return "timed out";
    case close_reason::broken:
      return "broken";
    case close_reason::truncated:
      return "ended within a frame";
    case close_reason::too_long:
      return "a frame too long, or not of whole words";
    case close_reason::too_slow:
      return "the other side does not read";
  }
  return "unknown";
}

}  // namespace tenure::transport
