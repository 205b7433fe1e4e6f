#!/bin/bash
# Flows of one plan, drawn anew for each, through pmacct's nfacctd (Debian's package pmacct), as NetFlow v5 with 65,536
# static labels, and through a node: what each costs a flow, and the ratio, at the highest of RATE, RATE / 2 and
# RATE / 4 at which nfacctd loses nothing. RATE (200000), TENURE_RATE (600000) and SECONDS_EACH (20) come from the
# environment.
RATE=${RATE:-200000}
. "$(dirname "$0")/figure.sh"
command -v nfacctd > /dev/null || { echo "nfacctd is missing: apt-get install pmacct" >&2; exit 3; }
port=${PORT:-$((20000 + $$ % 20000))}
refresh=5 # seconds
nfacctd=''
plugin=''
declare -A used # clock ticks by process

# Core and plugin look at a signal only when a packet comes, so they are killed: all rows are in the file by then.
finish() {
  [ -z "$nfacctd" ] || kill -KILL "$plugin" "$nfacctd" 2> /dev/null || true
  [ -z "$nfacctd" ] || wait "$nfacctd" 2> /dev/null || true
  nfacctd=''
  plugin=''
}
trap 'finish; rm -rf "$folder"' EXIT

# A number for each /24 of 10.0.0.0/8: what pmacct calls an AS.
awk 'BEGIN { for (a = 0; a < 256; ++a) for (b = 0; b < 256; ++b) printf "%d,10.%d.%d.0/24\n", 1 + a * 256 + b, a, b }' \
  > "$folder/networks"

# What made it dear when we did not look: a cache of 2,000,003 buckets, whose memory each purge and each forked writer
# touches anew (29 CPU-µs a row; a bucket goes ten deep); stamps as dates (4 µs); a cache of networks smaller than the
# number of addresses.
cat > "$folder/nfacctd.conf" << END
daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: $port
nfacctd_pipe_size: $(cat /proc/sys/net/core/rmem_max)
nfacctd_as: file
networks_file: $folder/networks
networks_cache_entries: 1999993
timestamps_since_epoch: true
plugins: print[all]
aggregate[all]: src_host, src_port, dst_host, dst_port, proto, src_as, dst_as, timestamp_start, timestamp_end
print_output[all]: csv
print_output_file[all]: $folder/flows.csv
print_output_file_append[all]: true
print_refresh_time[all]: $refresh
print_cache_entries[all]: 131071
print_num_protos[all]: true
plugin_pipe_size[all]: 268435456
plugin_buffer_size[all]: 262144
END

start() {
  rm -f "$folder/flows.csv"
  used=()
  nfacctd -f "$folder/nfacctd.conf" > "$folder/nfacctd.log" 2>&1 &
  nfacctd=$!
  for _ in $(seq 100); do grep -q 'waiting for NetFlow' "$folder/nfacctd.log" && break; sleep 0.1; done
  plugin=$(pgrep -P "$nfacctd" | head -1)
}

# Looks at the user and system time of the core, the plugin and the writers that it forks. Nobody waits for those, so
# what one took since it was looked at last (a tenth of a second) is not counted.
look() {
  local p t
  for p in "$nfacctd" "$plugin" $(pgrep -P "$plugin"); do
    t=$(sed 's/.*) //' "/proc/$p/stat" 2> /dev/null | awk '{ print $12 + $13 }') || true # it has ended
    [ -z "$t" ] || used[$p]=$t
  done
}
ticks() {
  local all=0 p
  for p in "${!used[@]}"; do all=$((all + used[$p])); done
  echo "$all"
}

# measure RATE: sets sent, written and cost, CPU-µs a row.
measure() {
  local before quiet=0 rows=-1 now sender
  start
  look
  before=$(ticks)
  "${SENDER:-build/bench/netflow_sender}" --port "$port" --rate "$1" --seconds "$seconds" > "$folder/sent" &
  sender=$!
  while kill -0 "$sender" 2> /dev/null; do look; sleep 0.1; done
  wait "$sender"
  for _ in $(seq $((20 * refresh * 10))); do # until no row has come for longer than a refresh
    look
    now=$(stat -c %s "$folder/flows.csv" 2> /dev/null || echo 0)
    [ "$now" = "$rows" ] && quiet=$((quiet + 1)) || quiet=0
    rows=$now
    [ "$quiet" -lt $((15 * refresh)) ] || break
    sleep 0.1
  done
  sent=$(awk '{ print $1 }' "$folder/sent")
  written=$(grep -vc '^SRC' "$folder/flows.csv" || true)
  cost=$(awk -v t=$(($(ticks) - before)) -v hz="$(getconf CLK_TCK)" -v n="$written" \
    'BEGIN { printf "%.3f", (n > 0) ? 1e6 * t / hz / n : 0 }')
  finish
  echo "nfacctd at $1 flows/s: $sent sent, $written rows, $cost CPU-µs a row; the sender: $(cat "$folder/sent")"
}

for rate in "$rate" $((rate / 2)) $((rate / 4)); do
  measure "$rate"
  # Flows of one key within one refresh share a row: one in a thousand at most.
  [ $((written * 1000)) -lt $((sent * 999)) ] || break
done

# A node takes in evidence besides, some 200,000 pieces a second at any rate of flows: at nfacctd's they are most of its
# work. So also at a rate of its own.
for r in "$rate" "${TENURE_RATE:-600000}"; do
  "$tenure" bench node --folder "$folder" --seconds "${seconds}s" --rate "$r" --to ndjson --json "$folder/run.json" > /dev/null
  ours=$(figure cpu_us_per_flow "$folder/run.json")
  echo "tenure at $r flows/s: $(figure flows "$folder/run.json") flows, $(figure lost "$folder/run.json") lost," \
    "$(figure evidence "$folder/run.json") pieces of evidence, $ours CPU-µs a flow"
  awk -v a="$cost" -v b="$ours" 'BEGIN { printf "nfacctd takes %.2f times as much CPU a flow\n", a / b }'
done
