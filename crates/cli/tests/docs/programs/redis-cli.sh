#!/bin/sh
# To the Redis of this page, unless another one is named.
PATH=${PATH#*:}
case " $* " in
*" -p "* | *" --cluster "*) exec redis-cli "$@" ;;
*) exec redis-cli -p "$REDIS_PORT" "$@" ;;
esac
