#!/bin/sh
# With the packages that pages import.
exec "$PYTHON" "$@"
