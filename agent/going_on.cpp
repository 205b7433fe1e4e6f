#include "agent/going_on.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

namespace tenure::agent {
namespace {

std::string folder_of(const std::string& pin) {
  return pin + "/going_on";
}

std::string ring_of(const std::string& pin) {
  return folder_of(pin) + "/ring";
}

}  // namespace

outcome<void> let_go_on(const std::string& pin, const std::vector<bpf_link*>& links, int ring) {
  end_going_on(pin);
  std::error_code error;
  std::filesystem::create_directory(folder_of(pin), error);
  bool pinned = !error && ::bpf_obj_pin(ring, ring_of(pin).c_str()) == 0;
  for (std::size_t i = 0; pinned && i < links.size(); ++i)
    pinned = ::bpf_link__pin(links[i], (folder_of(pin) + "/" + std::to_string(i)).c_str()) == 0;
  if (pinned) return {};
  const int why = error ? error.value() : errno;
  end_going_on(pin);
  return fail(trouble::refused, "cannot pin the kernel programs at " + folder_of(pin) + ": " +
                                    std::generic_category().message(why));
}

void end_going_on(const std::string& pin) {
  std::error_code ignored;
  std::filesystem::remove_all(folder_of(pin), ignored);
}

file_descriptor ring_going_on(const std::string& pin) {
  return file_descriptor{::bpf_obj_get(ring_of(pin).c_str())};
}

}  // namespace tenure::agent
