#include "agent/container_names.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <httplib.h>
#include <sys/socket.h>
#include <utility>

#include <nlohmann/json.hpp>

#include "agent/cri.hpp"

namespace tenure::agent {
namespace {

using json = nlohmann::json;

constexpr nanos ask_again = 30 * second;
constexpr std::size_t most_known = 16384;
constexpr std::uintmax_t largest_bundle = 4U << 20;
constexpr std::chrono::milliseconds socket_wait{500};

std::string text(const json& object, std::initializer_list<const char*> keys) {
  if (!object.is_object()) return {};
  for (const char* key : keys)
    if (const auto it = object.find(key); it != object.end() && it->is_string() && !it->empty())
      return it->get<std::string>();
  return {};
}

const json& member(const json& object, const char* key) {
  static const json nothing;
  if (!object.is_object()) return nothing;
  const auto it = object.find(key);
  return it == object.end() ? nothing : *it;
}

void read_labels(const json& from, container& into) {
  if (!from.is_object()) return;
  for (const auto& [key, value] : from.items())
    if (value.is_string()) into.labels.emplace_back(key, value.get<std::string>());
}

bool says_nothing(const container& c) {
  return c.name.empty() && c.pod.empty() && c.image.empty();
}

}  // namespace

std::optional<container> read_bundle(const std::string& content) {
  const auto config = json::parse(content, nullptr, false);
  const auto& said = member(config, "annotations");
  container c;
  c.pod = text(said, {"io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"});
  c.pod_namespace = text(said, {"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"});
  c.name = text(said, {"io.kubernetes.cri.container-name", "io.kubernetes.container.name", "nerdctl/name"});
  c.image = text(said, {"io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName"});
  if (says_nothing(c)) return std::nullopt;
  read_labels(said, c);
  return c;
}

std::optional<container> read_inspection(const std::string& content) {
  const auto said = json::parse(content, nullptr, false);
  container c;
  c.name = text(said, {"Name"});
  if (c.name.starts_with('/')) c.name.erase(0, 1);
  const auto& config = member(said, "Config");
  c.image = text(config, {"Image"});
  const auto& labels = member(config, "Labels");
  c.pod = text(labels, {"io.kubernetes.pod.name"});
  c.pod_namespace = text(labels, {"io.kubernetes.pod.namespace"});
  if (says_nothing(c)) return std::nullopt;
  read_labels(labels, c);
  return c;
}

container_names::container_names(const boot_clock& clock, std::vector<std::string> bundle_folders,
                                 std::vector<std::string> sockets)
    : clock_(clock), bundle_folders_(std::move(bundle_folders)), sockets_(std::move(sockets)) {}

std::vector<std::string> container_names::usual_bundle_folders() {
  return {"/run/containerd/io.containerd.runtime.v2.task/k8s.io",
          "/run/containerd/io.containerd.runtime.v2.task/default",
          "/run/containers/storage/overlay-containers", "/var/lib/containers/storage/overlay-containers"};
}

std::vector<std::string> container_names::usual_sockets() {
  return {"/run/docker.sock", "/run/podman/podman.sock", "cri:/run/containerd/containerd.sock",
          "cri:/run/crio/crio.sock", "cri:/run/k3s/containerd/containerd.sock"};
}

const container* container_names::find(const std::string& id) {
  const nanos now = clock_.now();
  auto it = known_.find(id);
  if (it == known_.end() || (!it->second.said && now - it->second.asked > ask_again)) {
    if (it == known_.end() && known_.size() >= most_known) known_.clear();
    it = known_.insert_or_assign(id, answer{ask(id), now}).first;
  }
  return it->second.said ? &*it->second.said : nullptr;
}

std::optional<container> container_names::ask(const std::string& id) {
  for (const auto& folder : bundle_folders_) {
    for (const char* file : {"/config.json", "/userdata/config.json"}) {
      std::string path = folder;
      path.append("/").append(id).append(file);
      std::error_code error;
      const auto size = std::filesystem::file_size(path, error);
      if (error || size > largest_bundle) continue;
      std::ifstream in(path, std::ios::binary);
      if (auto c = read_bundle({std::istreambuf_iterator<char>(in), {}})) return c;
    }
  }
  for (const auto& path : sockets_)
    if (auto c = ask_socket(path, id)) return c;
  return std::nullopt;
}

std::optional<container> container_names::ask_socket(const std::string& socket, const std::string& id) {
  constexpr std::string_view cri = "cri:";
  const bool speaks_cri = socket.starts_with(cri);
  const std::string path = speaks_cri ? socket.substr(cri.size()) : socket;
  std::error_code error;
  if (!std::filesystem::is_socket(path, error)) return std::nullopt;
  const nanos now = clock_.now();
  if (const auto it = failed_.find(path); it != failed_.end() && now - it->second < ask_again)
    return std::nullopt;
  if (speaks_cri) {
    const auto reply =
        call_cri(path, "/runtime.v1.RuntimeService/ListContainers", cri_request(id), socket_wait);
    if (reply) return read_cri_reply(*reply, id);
    failed_[path] = now;
    return std::nullopt;
  }
  httplib::Client runtime(path);
  runtime.set_address_family(AF_UNIX);
  runtime.set_connection_timeout(socket_wait);
  runtime.set_read_timeout(socket_wait);
  runtime.set_default_headers({{"Host", "localhost"}});
  const auto reply = runtime.Get("/containers/" + id + "/json");
  if (!reply) {
    failed_[path] = now;
    return std::nullopt;
  }
  return reply->status == 200 ? read_inspection(reply->body) : std::nullopt;
}

}  // namespace tenure::agent
