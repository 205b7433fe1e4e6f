#!/usr/bin/env bash
# First a night's swarms of the simulator, and the long forms of the checks with real nodes (root): minutes on a full
# disk, and clusters, which begin with nodes of an earlier commit (PREVIOUS=COMMIT, or the one before this one). Then
# the property tests again and again, each round with a new seed that is printed, until the time is over or one fails.
# Usage: soak.sh BUILD_DIR JOBS SECONDS
set -u
build=$1 jobs=$2 seconds=$3
log=$build/soak.log
SECONDS=0
"$(dirname "$0")/nightly.sh" "$build" "$jobs" 1000 || exit 1
previous=$("$(dirname "$0")/previous.sh" "$build" "$jobs" "${PREVIOUS:-HEAD~1}") || exit 1
echo "tenure: minutes on a full disk; clusters of real nodes, restarted from $previous"
if ! TENURE_LONG=1 TENURE_PREVIOUS=$previous "$build/tests/test_process" --gtest_filter='delivery.a_full_disk*:cluster.*' >"$log" 2>&1; then
  tail -n 60 "$log"
  exit 1
fi
round=0
SECONDS=0  # however long the night was
while [ "$SECONDS" -lt "$seconds" ]; do
  round=$((round + 1))
  seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
  export RC_PARAMS="seed=$seed max_success=1000"
  echo "tenure: round $round, RC_PARAMS='$RC_PARAMS'"
  # The kernel and the tree do not depend on the seed.
  if ! ctest --test-dir "$build" -j "$jobs" -LE 'kernel|house' --output-on-failure --timeout 600 >"$log" 2>&1; then
    tail -n 60 "$log"
    echo "tenure: failed; again with: make test RC_PARAMS='$RC_PARAMS'"
    exit 1
  fi
  # A node killed twenty times in a row under load.
  if ! TENURE_KILLS=20 TENURE_SEED=$seed "$build/tests/test_process" --gtest_filter='delivery.killed*' >"$log" 2>&1; then
    tail -n 60 "$log"
    echo "tenure: failed; again with: TENURE_KILLS=20 TENURE_SEED=$seed $build/tests/test_process --gtest_filter='delivery.killed*'"
    exit 1
  fi
  # And as many new swarms of the simulator, which say by themselves how to repeat one that fails.
  if ! "$build/tenure" sim run config/scenarios/swarm.toml --seed "$seed" --runs 200 --shrunk "$build/shrunk.toml" \
    >"$log" 2>&1; then
    tail -n 60 "$log"
    exit 1
  fi
done
echo "tenure: $round rounds in $SECONDS s, no failure"
