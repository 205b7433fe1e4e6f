#include "agent/identity_maps.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/magic.h>
#include <linux/types.h>
#include <set>
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

identity_key from_kernel(const tenure_identity_key& k) {
  address::bytes_type bytes;
  std::memcpy(bytes.data(), k.address, bytes.size());
  return {k.netns_cookie, {address::from_bytes(bytes), k.port}};
}

class pinned_identity_map final : public identity_map {
 public:
  pinned_identity_map(file_descriptor lock, file_descriptor map, file_descriptor ports,
                      std::uint64_t incarnation)
      : lock_(std::move(lock)),
        map_(std::move(map)),
        port_tenancies_(std::move(ports)),
        incarnation_(incarnation) {}

  outcome<void> put(const identity_key& key, tenancy_id tenancy) override {
    if (tenancy.incarnation != incarnation_)
      return fail(trouble::refused, "tenancy " + tenancy.to_string() + " is another incarnation's");
    const auto k = to_kernel(key);
    const tenure_identity v{tenancy.incarnation, tenancy.sequence};
    // Counted first: the programs look for ports only while there are some.
    const bool counted = key.endpoint.port != 0 && ports_.insert(key).second;
    if (counted && !tell_ports()) {
      ports_.erase(key);
      return fail(trouble::refused, "cannot write the count of port tenancies: " + why(errno));
    }
    if (::bpf_map_update_elem(map_.get(), &k, &v, BPF_ANY) == 0) return {};
    const int error = errno;
    if (counted) forget_port(key);
    if (error == E2BIG)
      return fail(trouble::refused,
                  "the identity map is full: " + std::to_string(TENURE_IDENTITY_ENTRIES) + " endpoints");
    return fail(trouble::refused, "cannot write the identity map: " + why(error));
  }

  outcome<void> erase(const identity_key& key) override {
    const auto k = to_kernel(key);
    if (::bpf_map_delete_elem(map_.get(), &k) != 0 && errno != ENOENT)
      return fail(trouble::refused, "cannot write the identity map: " + why(errno));
    forget_port(key);
    return {};
  }

  /// Whoever reads this sees sockets of now: what an agent before us wrote says nothing that we have
  /// verified. @returns what that was
  std::set<identity_key> clear_others() {
    std::set<identity_key> cleared;
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
        cleared.insert(from_kernel(next));
        ::bpf_map_delete_elem(map_.get(), &next);
        continue;
      }
      key = next;
      at = &key;
    }
    tell_ports();
    return cleared;
  }

 private:
  bool tell_ports() {
    const __u32 first = 0;
    const __u64 many = ports_.size();
    return ::bpf_map_update_elem(port_tenancies_.get(), &first, &many, BPF_ANY) == 0;
  }

  /// A count that cannot be written stays too high, which costs a look-up and is never wrong.
  void forget_port(const identity_key& key) {
    if (ports_.erase(key) > 0) tell_ports();
  }

  file_descriptor lock_;
  file_descriptor map_;
  file_descriptor port_tenancies_;
  std::set<identity_key> ports_;
  std::uint64_t incarnation_;
};

/// As bpf/maps.h has it.
struct layout {
  const char* name;
  bpf_map_type type;
  __u32 key_size;
  __u32 value_size;
  __u32 entries;
  __u32 flags;
};
constexpr layout identities_layout{"identities",
                                   BPF_MAP_TYPE_HASH,
                                   sizeof(tenure_identity_key),
                                   sizeof(tenure_identity),
                                   TENURE_IDENTITY_ENTRIES,
                                   BPF_F_NO_PREALLOC};
constexpr layout port_tenancies_layout{
    "port_tenancies", BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(__u64), 1, 0};

bool fits(int map, const layout& l) {
  bpf_map_info info{};
  __u32 length = sizeof info;
  return ::bpf_obj_get_info_by_fd(map, &info, &length) == 0 && info.type == l.type &&
         info.key_size == l.key_size && info.value_size == l.value_size && info.max_entries == l.entries &&
         info.map_flags == l.flags;
}

outcome<file_descriptor> open_or_create(const std::string& path, const layout& l) {
  file_descriptor map{::bpf_obj_get(path.c_str())};
  if (map && fits(map.get(), l)) return map;
  if (map) ::unlink(path.c_str());  // an older version's
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = l.flags);
  map = file_descriptor{::bpf_map_create(l.type, l.name, l.key_size, l.value_size, l.entries, &options)};
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

std::string pinned_port_count_path(const std::string& pin) {
  return pin + "/port_tenancies";
}

outcome<std::unique_ptr<identity_map>> make_identity_maps(const std::string& pin, std::uint64_t incarnation,
                                                          std::set<identity_key>* left) {
  if (auto ready = prepare_folder(pin); !ready) return tl::unexpected(ready.error());
  file_descriptor lock{::open(pin.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!lock) return fail(trouble::refused, "cannot open " + pin + ": " + why(errno));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(trouble::refused, "another agent holds " + pin + "; stop it, or choose another --pin");
  auto map = open_or_create(pinned_map_path(pin), identities_layout);
  auto ports =
      map ? open_or_create(pinned_port_count_path(pin), port_tenancies_layout) : tl::unexpected(map.error());
  if (!ports) {
    // Empty it would be ours all the same, and refuse root, who comes next.
    ::rmdir(pin.c_str());
    return tl::unexpected(ports.error());
  }
  auto result =
      std::make_unique<pinned_identity_map>(std::move(lock), std::move(*map), std::move(*ports), incarnation);
  auto cleared = result->clear_others();
  if (left != nullptr) *left = std::move(cleared);
  return result;
}

}  // namespace tenure::agent
