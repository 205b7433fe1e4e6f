#!/bin/sh
# Installs those packages that are missing, and does nothing when none is.
# Usage: install-packages.sh [PACKAGE...]; without names, those of config/debian-packages.txt.
set -eu
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
