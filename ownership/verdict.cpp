#include "ownership/verdict.hpp"

namespace tenure {

std::string_view to_string(basis b) {
  switch (b) {
    case basis::none:
      return "none";
    case basis::tenancy:
      return "tenancy";
    case basis::event:
      return "event";
    case basis::label:
      return "label";
    case basis::paired:
      return "paired";
  }
  return "none";
}

std::string_view to_string(reason r) {
  switch (r) {
    case reason::none:
      return "none";
    case reason::conflict:
      return "conflict";
    case reason::external:
      return "external";
    case reason::local:
      return "local";
    case reason::no_evidence:
      return "no_evidence";
    case reason::clock:
      return "clock";
    case reason::before_first:
      return "before_first";
    case reason::after_last:
      return "after_last";
    case reason::between:
      return "between";
  }
  return "none";
}

}  // namespace tenure
