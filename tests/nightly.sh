#!/usr/bin/env bash
# A night's swarms: new seeds of everything at once, on all cores. Fails when a promise is broken, with the command that
# repeats the run, and when some kind of trouble never came about: then the swarm proves less than it says.
# Usage: nightly.sh BUILD_DIR JOBS RUNS
set -u
build=$1 jobs=$2 runs=$3
seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
echo "tenure: swarms of seeds $seed to $((seed + runs - 1))"
"$build/tenure" sim run config/scenarios/swarm.toml --seed "$seed" --runs "$runs" --jobs "$jobs" \
  --json "$build/nightly.json" --shrunk "$build/shrunk.toml" || exit 1
never=$(grep -o '"faults":{[^}]*}' "$build/nightly.json" | grep -o '"[a-z_]*":0[,}]')
if [ -n "$never" ]; then
  echo "tenure: never came about: $never"
  exit 1
fi
