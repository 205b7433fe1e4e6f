#include "agent/identity_maps.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/magic.h>
#include <linux/types.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <system_error>

#include <bpf/bpf.h>

#include "agent/file_descriptor.hpp"
#include "agent/pinned_map.hpp"
#include "bpf/identity.h"

namespace tenure::agent {

namespace {

constexpr const char* bpf_root = "/sys/fs/bpf";

std::string why(int error) {
  return std::generic_category().message(error);
}

bool is_bpf_fs(const char* path) {
  struct statfs s {};
  return ::statfs(path, &s) == 0 && s.f_type == BPF_FS_MAGIC;
}

/// The folder, made if need be. systemd mounts the bpf file system at its usual place; where nobody did, we
/// do, as iproute2 and bpftool do too. Anywhere else it is the operator's.
outcome<void> prepare_folder(const std::string& pin) {
  if (pin.starts_with(bpf_root) && !is_bpf_fs(bpf_root) &&
      ::mount("bpf", bpf_root, "bpf", 0, "mode=0700") != 0)
    return fail(trouble::refused, std::string("cannot mount the bpf file system at ") + bpf_root + ": " +
                                      why(errno) +
                                      "; run as root (`tenure node` and `tenure attribute` need neither)");
  std::error_code error;
  const bool made = std::filesystem::create_directories(pin, error);
  if (made) ::chmod(pin.c_str(), 0700);
  if (error)
    return fail(trouble::refused,
                "cannot make " + pin + ": " + error.message() + "; run as root, or choose --pin");
  if (!is_bpf_fs(pin.c_str()))
    return fail(trouble::refused, pin + " is not on a bpf file system; choose --pin under " + bpf_root);
  struct stat owner {};
  // The bpf file system may be writable for all: whoever owns the folder could put another map in the place
  // of ours.
  if (::stat(pin.c_str(), &owner) != 0 || owner.st_uid != ::geteuid() || (owner.st_mode & 022U) != 0)
    return fail(trouble::refused,
                pin + " belongs to somebody else, or others may write to it; remove it, or choose --pin");
  return {};
}

tenure_identity_key to_kernel(const identity_key& key) {
  tenure_identity_key k;
  std::memset(&k, 0, sizeof k);
  k.netns_cookie = key.netns_cookie;
  const auto bytes = key.endpoint.address.bytes();
  std::memcpy(k.address, bytes.data(), bytes.size());
  k.port = key.endpoint.port;
  return k;
}

class pinned_identity_map final : public identity_map {
 public:
  pinned_identity_map(file_descriptor lock, file_descriptor map, std::uint64_t incarnation)
      : lock_(std::move(lock)), map_(std::move(map)), incarnation_(incarnation) {}

  outcome<void> put(const identity_key& key, tenancy_id tenancy) override {
    if (tenancy.incarnation != incarnation_)
      return fail(trouble::refused, "tenancy " + tenancy.to_string() + " is another incarnation's");
    const auto k = to_kernel(key);
    const tenure_identity v{tenancy.incarnation, tenancy.sequence};
    if (::bpf_map_update_elem(map_.get(), &k, &v, BPF_ANY) == 0) return {};
    const int error = errno;
    if (error == E2BIG)
      return fail(trouble::refused,
                  "the identity map is full: " + std::to_string(TENURE_IDENTITY_ENTRIES) + " endpoints");
    return fail(trouble::refused, "cannot write the identity map: " + why(error));
  }

  outcome<void> erase(const identity_key& key) override {
    const auto k = to_kernel(key);
    if (::bpf_map_delete_elem(map_.get(), &k) == 0 || errno == ENOENT) return {};
    return fail(trouble::refused, "cannot write the identity map: " + why(errno));
  }

  /// Whoever reads this sees sockets of now: what an agent before us wrote says nothing that we have
  /// verified.
  void clear_others() {
    tenure_identity_key key;
    tenure_identity_key next;
    const void* at = nullptr;
    // Bounded: entries are only taken away meanwhile, and a key that is gone restarts the walk from the
    // front.
    for (int step = 0;
         step < 4 * TENURE_IDENTITY_ENTRIES && ::bpf_map_get_next_key(map_.get(), at, &next) == 0; ++step) {
      tenure_identity value{};
      const bool ours =
          ::bpf_map_lookup_elem(map_.get(), &next, &value) == 0 && value.incarnation == incarnation_;
      if (!ours) {
        ::bpf_map_delete_elem(map_.get(), &next);
        continue;
      }
      key = next;
      at = &key;
    }
  }

 private:
  file_descriptor lock_;
  file_descriptor map_;
  std::uint64_t incarnation_;
};

bool fits(int map) {
  bpf_map_info info{};
  __u32 length = sizeof info;
  return ::bpf_obj_get_info_by_fd(map, &info, &length) == 0 && info.type == BPF_MAP_TYPE_HASH &&
         info.key_size == sizeof(tenure_identity_key) && info.value_size == sizeof(tenure_identity) &&
         info.max_entries == TENURE_IDENTITY_ENTRIES && info.map_flags == BPF_F_NO_PREALLOC;
}

outcome<file_descriptor> open_or_create(const std::string& path) {
  file_descriptor map{::bpf_obj_get(path.c_str())};
  if (map && fits(map.get())) return map;
  if (map) ::unlink(path.c_str());  // an older version's
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
  map = file_descriptor{::bpf_map_create(BPF_MAP_TYPE_HASH, "identities", sizeof(tenure_identity_key),
                                         sizeof(tenure_identity), TENURE_IDENTITY_ENTRIES, &options)};
  if (!map)
    return fail(trouble::refused, "cannot make the identity map: " + why(errno) +
                                      "; run as root (`tenure node` and `tenure attribute` need not)");
  if (::bpf_obj_pin(map.get(), path.c_str()) != 0)
    return fail(trouble::refused, "cannot pin the identity map at " + path + ": " + why(errno));
  return map;
}

}  // namespace

std::string pinned_map_path(const std::string& pin) {
  return pin + "/identities";
}

outcome<std::unique_ptr<identity_map>> make_identity_maps(const std::string& pin, std::uint64_t incarnation) {
  if (auto ready = prepare_folder(pin); !ready) return tl::unexpected(ready.error());
  file_descriptor lock{::open(pin.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!lock) return fail(trouble::refused, "cannot open " + pin + ": " + why(errno));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(trouble::refused, "another agent holds " + pin + "; stop it, or choose another --pin");
  auto map = open_or_create(pinned_map_path(pin));
  if (!map) return tl::unexpected(map.error());
  auto result = std::make_unique<pinned_identity_map>(std::move(lock), std::move(*map), incarnation);
  result->clear_others();
  return result;
}

}  // namespace tenure::agent
