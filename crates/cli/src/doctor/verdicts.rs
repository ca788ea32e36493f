//! What is to be thought of what was found.

mod channels;
mod memory;
mod rights;
mod server;

use geocast_server::RedisUrl;

use super::{Scope, examination::Examination, finding::Finding};

/// Everything that there is to say, the Redis first.
pub(super) fn all(url: &RedisUrl, scope: &Scope, found: &Examination) -> Vec<Finding> {
    let mut findings = Vec::new();
    for node in &found.nodes {
        findings.push(server::is_there(node));
        findings.extend(server::role(node));
        findings.extend(memory::memory(url, node));
        findings.push(memory::persistence(node));
        findings.extend(server::clients(node));
        findings.extend(server::buffers(url, node));
        findings.push(server::notifications(url, scope, node));
    }
    findings.extend(rights::rights(url, found));
    findings.extend(channels::keys(url, scope, found));
    findings.extend(channels::hashes(found));
    findings.extend(channels::texts(found));
    findings.extend(channels::heard(found));
    findings
}
