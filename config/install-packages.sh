#!/bin/sh
# Installs those packages of config/debian-packages.txt that are missing; does nothing when none is.
set -eu
list="$(dirname "$0")/debian-packages.txt"
missing=""
for package in $(grep -vE '^(#|$)' "$list"); do
  dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
    missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ]; then
  echo "tenure: these packages are missing; run as root: apt-get install -y$missing" >&2
  exit 3
fi
echo "tenure: installing from Debian:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
apt-get install -y -q --no-install-recommends $missing >/dev/null
