#!/bin/bash
# In the background, but not of its own: it ends with the page. Returns when it listens.
PATH=${PATH#*:}
arguments=()
while (($#)); do
    if [[ $1 == --daemonize ]]; then shift; else arguments+=("$1"); fi
    shift
done
log=$(mktemp "$STAGE/redis-XXXXXX")
redis-server "${arguments[@]}" >"$log" 2>&1 &
until grep -qE 'Ready to accept connections|monitor master' "$log"; do
    "$STAGE/bin/alive" $! || { cat "$log" >&2; exit 1; }
    sleep 0.05
done
