#!/usr/bin/env bash
# Proves the README on a bare Debian 12: debootstrap into a temporary folder, then inside it exactly what a newcomer
# types. Prints the time of each step. Root; network to a Debian mirror; about 4 GB of disk for as long as it runs.
#
# Usage: fresh.sh [--mirror URL] [--cache DIR] [--only build|demo|test]...
#   --mirror  where Debian comes from; by default where this machine's apt gets it
#   --cache   keeps downloaded packages there for the next run
#   --only    which of the steps after the clone to run; by default demo, then test
#
# All mounts are made in a mount namespace of its own, which ends with its last process: outside there is never a mount
# below the temporary folder, so that removing it cannot reach through one.
set -euo pipefail

# What runs inside the namespaces.

step() {  # step NAME COMMAND...: runs it, then says how long it took
  local name=$1 start=$SECONDS
  shift
  echo "fresh.sh: -- $name"
  "$@" || { echo "fresh.sh: FAILED: $name, after $((SECONDS - start)) s"; exit 1; }
  echo "fresh.sh: $name: $((SECONDS - start)) s"
}

there() {
  env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TERM=dumb chroot "$root" "$@"
}
in_clone() { there sh -c "cd /tenure && $1"; }

quietly() {  # its words only when it fails
  "$@" >"$work/step.log" 2>&1 || { tail -n 30 "$work/step.log"; return 1; }
}

mount_system() {
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  # /sys brings the kernel's BTF, the control groups and, where it is mounted, the BPF file system.
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  mount --make-rslave "$root/sys"
  mount --make-rslave "$root/dev"
  [ -z "$cache" ] || mount --bind "$cache" "$root/var/cache/apt/archives"
}

copy_apt_sources() {
  local file
  rm -f "$root/etc/apt/sources.list"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ ! -f "$file" ] || cp "$file" "$root/etc/apt/${file#/etc/apt/}"
  done
  # How apt reaches its sources; not the hooks, whose programs are not there.
  { grep -hs '^Acquire::' /etc/apt/apt.conf.d/* || true; } >"$root/etc/apt/apt.conf.d/90host"
}

inside() {
  local target start=$SECONDS
  step "debootstrap" quietly \
    debootstrap --variant=minbase ${cache:+--cache-dir="$cache"} "$release" "$root" "$mirror"
  mount_system
  copy_apt_sources
  cp "$work/tenure.bundle" "$root/tenure.bundle"
  step "apt-get update" quietly there apt-get update -q
  step "apt-get install -y git make" quietly there apt-get install -y -q git make
  step "git clone" quietly there git clone -q /tenure.bundle /tenure
  for target in "$@"; do
    if [ "$target" = demo ]; then target="demo ARGS='--seconds 20'"; fi
    step "make $target" in_clone "make $target"
  done
  step "make build, again" in_clone "make build"
  echo "fresh.sh: all of it: $((SECONDS - start)) s"
}

if [ "${1:-}" = --inside ]; then
  shift
  inside "$@"
  exit
fi

# What runs outside.

refuse() { echo "fresh.sh: $1" >&2; exit 3; }
export release=bookworm mirror="" cache=""
steps=()
while [ $# -gt 0 ]; do
  case "$1" in
    --mirror) mirror=$2; shift 2 ;;
    --cache) mkdir -p "$2"; cache=$(realpath "$2"); shift 2 ;;
    --only) steps+=("$2"); shift 2 ;;
    *) echo "fresh.sh: unknown option $1" >&2; exit 2 ;;
  esac
done
[ ${#steps[@]} -gt 0 ] || steps=(demo test)
[ "$(id -u)" = 0 ] || refuse "needs root, for debootstrap and mounts"
command -v debootstrap >/dev/null || refuse "debootstrap is missing: apt-get install -y debootstrap"
if [ -z "$mirror" ]; then
  mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    awk -v release=$release '$1 == release { print $2; exit }')
  [ -n "$mirror" ] || refuse "apt knows no mirror of $release here: give one with --mirror URL"
fi

child=""
work=$(mktemp -d "${TMPDIR:-/var/tmp}/tenure-fresh.XXXXXX")
export work root=$work/root
finish() {
  local status=$?
  trap - EXIT INT TERM
  # unshare takes the whole process namespace with it, and with that the mounts.
  if [ -n "$child" ] && kill -KILL "$child" 2>/dev/null; then wait "$child" 2>/dev/null || true; fi
  if grep -q " $work" /proc/self/mountinfo; then refuse "something is still mounted below $work; left as it is"; fi
  rm -rf --one-file-system "$work"
  exit $status
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

chmod 755 "$work"
mkdir "$root"
source=$(cd "$(dirname "$0")/.." && git rev-parse --show-toplevel)
git -C "$source" bundle create -q "$work/tenure.bundle" HEAD
echo "fresh.sh: commit $(git -C "$source" rev-parse --short HEAD) on Debian $release from $mirror"
unshare --mount --propagation private --pid --fork --kill-child "$0" --inside "${steps[@]}" &
child=$!
status=0
wait "$child" || status=$?
child=""
exit "$status"
