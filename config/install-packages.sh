#!/bin/sh
# Installs those packages that are missing, and does nothing when none is.
# Usage: install-packages.sh [PACKAGE...]; without names, those of config/debian-packages.txt.
#        install-packages.sh --unpack DIR PACKAGE; only unpacks it into DIR, as is right for one that would start a
#        service on this machine and that only tests need.
set -eu
if [ "${1:-}" = --unpack ]; then
  into=$2 package=$3
  [ -e "$into/$package.unpacked" ] && exit 0
  command -v dpkg-deb >/dev/null || { echo "tenure: this is not Debian; unpack $package into $into by hand" >&2; exit 3; }
  echo "tenure: unpacking from Debian, not installing: $package" >&2
  mkdir -p "$into"
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  if ! (cd "$scratch" && apt-get download -q "$package") >"$scratch/log" 2>&1; then
    tail -n 30 "$scratch/log" >&2
    echo "tenure: apt-get could not download: $package" >&2
    exit 3
  fi
  dpkg-deb -x "$scratch/$package"_*.deb "$into"
  touch "$into/$package.unpacked"
  exit 0
fi
[ $# -gt 0 ] || set -- $(grep -vE '^(#|$)' "$(dirname "$0")/debian-packages.txt")
command -v dpkg-query >/dev/null || { echo "tenure: this is not Debian; install what $0 lists by hand" >&2; exit 3; }
missing=""
for package in "$@"; do
  dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
    missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ]; then
  echo "tenure: packages are missing; run as root: apt-get install -y --no-install-recommends$missing" >&2
  exit 3
fi
echo "tenure: installing from Debian:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# apt's own words only when it fails.
if ! { apt-get update -q && apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1; then
  tail -n 30 "$log" >&2
  echo "tenure: apt-get could not install:$missing" >&2
  exit 3
fi
