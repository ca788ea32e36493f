//! The live map, the operator's page, the client for JavaScript with its adapters, and the pages of the book in a real browser.

use crate::npm;

#[test]
fn the_live_map_passes_its_tests_in_a_browser() {
    // Pages are given the client's OpenLayers and MapLibre, which are not installed twice.
    let packages = ["../clients/js/node_modules/maplibre-gl/dist", "../clients/js/node_modules/ol/dist"];
    npm::passes_its_tests("web", &[&["dist/index.html"], &packages[..]].concat());
}
