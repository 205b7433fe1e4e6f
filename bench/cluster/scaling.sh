#!/bin/bash
# What a flow costs on clusters of several sizes, all on this machine: nodes by a list, on loopback, without TLS, under
# one fleet that is the same for all sizes. A row a size; needs nothing else to run beside it.
# usage: bench/cluster/scaling.sh [SIZE...]      sizes: 1 2 4 8
# RATE flows a second of all agents (100000), SECONDS_EACH (20), HOLD (10s), ADDRESSES (100000), BATCH (50),
# FORM ndjson or tnr, FOLDER for what the nodes write (build).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
tenure=${TENURE:-build/tenure}
sizes=("$@")
[ ${#sizes[@]} -gt 0 ] || sizes=(1 2 4 8)
rate=${RATE:-100000} seconds=${SECONDS_EACH:-20} hold=${HOLD:-10s} form=${FORM:-ndjson}
folder=$(mktemp -d "${FOLDER:-build}/bench-cluster.XXXXXX")
pids=()
stop() {
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait
  pids=()
}
trap 'stop; rm -rf "$folder"' EXIT

ticks() { # of all nodes: user and system time
  local user=0 system=0 pid u s
  for pid in "${pids[@]}"; do
    read -r u s < <(awk '{ sub(/.*\) /, ""); print $12, $13 }' "/proc/$pid/stat")
    user=$((user + u)) system=$((system + s))
  done
  echo "$user $system"
}
resident_kib() { # of all nodes, at their largest
  local all=0 pid
  for pid in "${pids[@]}"; do all=$((all + $(awk '/VmHWM/ { print $2 }' "/proc/$pid/status"))); done
  echo "$all"
}
said() { sed -nE "s/.*$2 (127\.0\.0\.1:[0-9]+).*/\1/p" "$folder/$1.log" | head -1; }
metrics() { # of the node at that address
  exec 3<> "/dev/tcp/${1%:*}/${1#*:}"
  printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
  cat <&3
  exec 3>&-
}
figure() { sed -nE "s/^ *\"$1\": ([-0-9.e+]+),?\$/\1/p" "$2" | head -1; }

start() { # so many nodes; returns when each answers and sees the others
  local n=$1 base=$((20000 + RANDOM % 20000)) members=() i tries
  for ((i = 0; i < n; ++i)); do members+=(--member "n$i=127.0.0.1:$((base + i))"); done
  for ((i = 0; i < n; ++i)); do
    local words=(--node-name "n$i" --listen 127.0.0.1:0 --http 127.0.0.1:0 --hold "$hold" --output "$folder/n$i.$form")
    [ "$n" -eq 1 ] || words+=("${members[@]}" --peer-listen "127.0.0.1:$((base + i))")
    "$tenure" node "${words[@]}" 2> "$folder/n$i.log" &
    pids+=($!)
  done
  for ((i = 0; i < n; ++i)); do
    for ((tries = 0; tries < 300; ++tries)); do
      [ -z "$(said "n$i" HTTP)" ] || continue 2
      sleep 0.1
    done
    echo "scaling.sh: node n$i did not start within 30 s:" >&2
    tail -n 5 "$folder/n$i.log" >&2
    exit 1
  done
  sleep 12 # until each is warm
}

echo "| nodes | CPU-µs a flow | of one node's | user | system | memory a node, MiB | forwarded | between nodes, bytes a flow | attributed, % |"
echo "|---|---|---|---|---|---|---|---|---|"
first=
for n in "${sizes[@]}"; do
  start "$n"
  agents=()
  for ((i = 0; i < n; ++i)); do agents+=(--node "$(said "n$i" agents)"); done
  read -r user system < <(ticks)
  "$tenure" bench load "${agents[@]}" --agents 200 --rate "$rate" --seconds "${seconds}s" --batch "${BATCH:-50}" \
    --addresses "${ADDRESSES:-100000}" --json "$folder/load.json" > "$folder/said" 2>&1
  read -r user_after system_after < <(ticks)
  memory=$(resident_kib)
  sent=0 forwarded=0 attributed=0
  for ((i = 0; i < n; ++i)); do
    text=$(metrics "$(said "n$i" HTTP)")
    sent=$((sent + $(awk '/^tenure_transport_sent_bytes_total\{links="peers"/ { n = $2 } END { printf "%d", n }' <<< "$text")))
    forwarded=$((forwarded + $(awk '/^tenure_node_flows_forwarded_total / { n = $2 } END { printf "%d", n }' <<< "$text")))
    attributed=$((attributed + $(awk '/^tenure_node_flows_attributed_total / { n = $2 } END { printf "%d", n }' <<< "$text")))
  done
  flows=$(figure flows_acknowledged "$folder/load.json")
  row=$(awk -v n="$n" -v flows="$flows" -v user=$((user_after - user)) -v system_time=$((system_after - system)) \
    -v tick="$(awk "BEGIN { print 1e6 / $(getconf CLK_TCK) }")" -v memory="$memory" -v sent="$sent" \
    -v forwarded="$forwarded" -v attributed="$attributed" -v first="${first:-0}" 'BEGIN {
      cost = (user + system_time) * tick / flows
      ratio = 1
      if (first > 0) ratio = cost / first
      printf "| %d | %.3f | %.2f | %.3f | %.3f | %.0f | %.2f | %.0f | %.1f |\n", n, cost, ratio, user * tick / flows,
        system_time * tick / flows, memory / 1024 / n, forwarded / flows, sent / flows, 100 * attributed / flows }')
  echo "$row"
  [ -n "$first" ] || first=$(cut -d'|' -f3 <<< "$row")
  stop
  rm -f "$folder"/*
done
