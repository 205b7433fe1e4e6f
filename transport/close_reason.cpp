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
    case close_reason::not_tls:
      return "the other side does not speak TLS 1.3, or garbles it";
    case close_reason::expired:
      return "its certificate is not valid now";
    case close_reason::untrusted:
      return "it has no certificate of an authority that is trusted here";
    case close_reason::nameless:
      return "its certificate does not hold exactly one SPIFFE id";
    case close_reason::not_allowed:
      return "it proved to be one who may not connect here";
    case close_reason::unwelcome:
      return "the other side does not accept our certificate";
  }
  return "unknown";
}

}  // namespace tenure::transport
