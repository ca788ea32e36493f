//! The client for JavaScript, type-checked, built and tested in Node.

use crate::npm;

#[test]
fn the_javascript_client_passes_its_tests() {
    npm::passes_its_tests("clients/js", &[]);
}
