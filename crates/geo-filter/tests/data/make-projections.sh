#!/bin/sh
# Makes projections.csv: what PROJ's own command line says, to compare with. It was made with Debian 12's proj-bin
# and proj-data, both 9.1.1. Only the database is used of the latter: this crate opens no grid files.
#
# Per system a few points (longitude latitude) inside its area of use. cs2cs takes and gives coordinates in the
# authority's axis order, so latitude goes in first; the result is stored as printed, in the same order.
# Where areas of use overlap, PROJ's choice of operation depends on its database's version: no such points here.
# Systems in grads (EPSG:4807) are left out, as cs2cs prints degrees for them.
set -eu
PROJ_DATA=$(mktemp -d)
export PROJ_DATA
trap 'rm -r "$PROJ_DATA"' EXIT
cp /usr/share/proj/proj.db "$PROJ_DATA"
echo 'code,longitude,latitude,first,second'
while read -r code points; do
    for point in $points; do
        longitude=${point%,*}
        latitude=${point#*,}
        echo "$latitude $longitude" | cs2cs -f %.9f EPSG:4326 "EPSG:$code" | {
            read -r first second _
            echo "$code,$longitude,$latitude,$first,$second"
        }
    done
done <<'POINTS'
3857 7.45,46.95 -179.9,-60 179.99,85 0,0 -122.4194,37.7749
3395 7.45,46.95 -122.4194,37.7749 150.1,-33.9
2056 7.438632495,46.951082773 5.97,45.84 10.47,47.79
21781 7.438632495,46.951082773 9.5,46.3
3035 7.45,46.95 -9.1,38.7 30,60 25.0,35.1
32632 7.45,46.95 11.9,55.0 6.1,0.5
32719 -70.0,-33.4 -71.5,-12.0
25833 13.4,52.5 15.0,60.0
27700 -0.1276,51.5072 -4.25,55.86
2154 2.3522,48.8566 5.37,43.3
3031 0,-70 45,-65 -135,-80 180,-89
3995 0,70 45,65 -135,80 180,89
3413 0,80 -45,70 170,60
5514 14.42,50.08 15.5,49.8
31467 9.0,48.8 10.2,53.5
2193 174.78,-41.29 168.66,-45.03
4258 7.45,46.95
2263 -74.006,40.7128
POINTS
