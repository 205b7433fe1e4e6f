#include "ownership/flow.hpp"

#include "ownership/hexadecimal.hpp"

namespace tenure {

std::string flow_id::to_string() const {
  return hexadecimal(incarnation) + '-' + std::to_string(batch) + '-' + std::to_string(index);
}

}  // namespace tenure
