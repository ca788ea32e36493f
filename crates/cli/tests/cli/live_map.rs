//! The live map and the client for JavaScript in a real browser.

use crate::npm;

#[test]
fn the_live_map_passes_its_tests_in_a_browser() {
    npm::passes_its_tests("web", &["dist/index.html"]);
}
