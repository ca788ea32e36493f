#!/bin/sh
# Whether what goes on behind the page goes on.
if [ -e "$STAGE/server" ] && ! alive "$(cat "$STAGE/server")"; then
    cat "$STAGE/server-log" >&2
    echo "the server has ended" >&2
    exit 1
fi
[ -e "$STAGE/going-on" ] || exit 0
while read -r process what; do
    alive "$process" || { cat "$STAGE/subscriptions" >&2; echo "$what: ended" >&2; exit 1; }
done <"$STAGE/going-on"
