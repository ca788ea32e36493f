#!/bin/sh
# Whether a process goes on, by its number.
exec grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$1/status"
