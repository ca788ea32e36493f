#!/bin/sh
# The binary. What goes on until it is stopped goes on behind the page, as in another terminal: a server until the next one is
# started, which is also when its port is free again, and a `sub` without an end until the page has one.
set -eu
# A machine may be so slow that what waits for a time gives up: codes 3 and 4.
patiently() {
    for _ in 1 2 3 4 5; do
        code=0
        "$GEOCAST" "$@" || code=$?
        [ "$code" = 3 ] || [ "$code" = 4 ] || return "$code"
    done
    return "$code"
}
case "${1-}" in
serve | demo)
    # As on a terminal.
    export GEOCAST_LOG_FORMAT=human
    case " $* " in
    *" --port "* | *" -p "* | *" --usock "* | *" --config "* | *" -c "*) ;;
    *" -f "* | *" --filters "*) set -- "$@" --port "$FILTERS_PORT" ;;
    *) set -- "$@" --port "$DEFAULT_PORT" ;;
    esac
    if [ -e "$STAGE/server" ]; then
        still-there
        [ ! -e "$STAGE/going-on" ] || cut -d' ' -f1 "$STAGE/going-on" | xargs kill
        rm -f "$STAGE/going-on"
        old=$(cat "$STAGE/server")
        kill "$old" 2>/dev/null || true
        while alive "$old"; do sleep 0.02; done
    fi
    log=$STAGE/server-log
    # What runs behind the page empties it late, and what the server before this one said would be read.
    rm -f "$log"
    "$GEOCAST" "$@" >/dev/null 2>"$log" &
    echo $! >"$STAGE/server"
    until grep -qs 'listens on' "$log"; do
        alive $! || { cat "$log" >&2; echo "geocast $*: ended" >&2; exit 1; }
        sleep 0.05
    done
    ;;
sub)
    case " $* " in
    *" --count "* | *" --timeout "*) patiently "$@"; exit ;;
    esac
    "$GEOCAST" "$@" >>"$STAGE/subscriptions" 2>&1 &
    echo "$! geocast $*" >>"$STAGE/going-on"
    ;;
check) export GEOCAST_PORT=${GEOCAST_PORT-$DEFAULT_PORT} && patiently "$@" ;;
get) patiently "$@" ;;
*) exec "$GEOCAST" "$@" ;;
esac
