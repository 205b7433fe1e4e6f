#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "actors/clocks.hpp"
#include "actors/directions.hpp"
#include "cluster/membership.hpp"

namespace tenure::actors {

/// What the desk knows of a node, to be shown.
struct node_entry {
  std::string name;
  std::string address;
  bool member = false;  ///< of the ring
  cluster::standing standing = cluster::standing::away;
  double share = 0;  ///< of the points that it owns
};

/// Keeps who is in the cluster and who of them answers, and makes of it the placement that everybody looks
/// at. Any thread; nothing in it waits.
class cluster_desk {
 public:
  /// @param self our name @param warm_up after so long a node that started counts as warm
  /// @param make spawns the peer actor of this number and name
  cluster_desk(std::string self, std::size_t replicas, nanos warm_up, std::shared_ptr<const node_clock> clock,
               std::shared_ptr<directions> ways,
               std::function<peer_actor(cluster::placement::number, const std::string&)> make);

  /// Who is there now, as the membership says.
  void view(const cluster::membership_view& v);

  /// The node of this number answers; it started at `since`, in our time.
  void answers(cluster::placement::number n, nanos since);
  /// It does not answer any more.
  void silent(cluster::placement::number n);
  /// Looks who has become warm.
  void look();

  /// Who would take over if this node left.
  enum class heirs {
    none,   ///< nobody else answers
    young,  ///< so many are fresh that some prefixes would have none that knows them
    ready,
  };
  heirs who_takes_over() const;
  /// From now on nothing belongs to this node as far as it is concerned.
  /// @returns the others that answer, with their names; when there are none it stays as it was
  std::vector<std::pair<std::string, peer_actor>> leave();

  struct reading {
    std::string self;
    std::uint64_t epoch = 0;
    std::uint64_t placements = 0;  ///< how often things went another way
    std::vector<node_entry> nodes;
  };
  reading read() const;
  const std::string& self() const { return self_; }

  /// The end: peers are asked nothing any more. @returns them
  std::vector<peer_actor> close();

 private:
  struct known_node {
    std::string address;
    std::uint32_t weight = 1;
    cluster::placement::number number = 0;
    bool member = false;
    bool silent = false;
    nanos since = time_max;  // it started; time_max: it has not answered yet
  };
  void show();
  bool counts(const std::string& name, const known_node& n) const;
  cluster::standing standing_of(const known_node& n, nanos now) const;
  known_node* by_number(cluster::placement::number n);

  const std::string self_;
  const std::size_t replicas_;
  const nanos warm_up_;
  const std::shared_ptr<const node_clock> clock_;
  const std::shared_ptr<directions> ways_;
  const std::function<peer_actor(cluster::placement::number, const std::string&)> make_;

  mutable std::mutex mutex_;
  // Under mutex_.
  std::map<std::string, known_node> nodes_;  // ourselves among them
  std::uint64_t epoch_ = 0;
  std::uint64_t placements_ = 0;
  std::shared_ptr<const cluster::ring> ring_;
  std::vector<cluster::standing> shown_;
  std::vector<nanos> shown_since_;
  bool stale_ = true;  // the members changed since they were shown
  bool leaving_ = false;
  bool closed_ = false;
};

}  // namespace tenure::actors
