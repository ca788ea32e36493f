//! What is to be thought of what was found.

mod channels;
mod memory;
mod replicas;
mod rights;
mod sentinels;
mod server;

use super::{Scope, examination::Examination, finding::Finding, place::Place};

/// Everything that there is to say, who says where the Redis is first, and then the Redis.
pub(super) fn all(place: &Place, scope: &Scope, found: &Examination) -> Vec<Finding> {
    let mut findings = sentinels::sentinels(place, found);
    for node in &found.nodes {
        findings.push(server::is_there(node));
        findings.extend(server::role(place, node));
        findings.extend(memory::memory(place, node));
        findings.push(memory::persistence(node));
        findings.extend(server::clients(node));
        findings.extend(server::buffers(place, node));
        findings.push(server::notifications(place, scope, node));
    }
    findings.extend(rights::rights(place, found));
    findings.extend(rights::bound(found));
    if found.nodes.is_empty() {
        return findings;
    }
    findings.extend(channels::keys(place, scope, found));
    findings.extend(channels::hashes(found));
    findings.extend(channels::texts(found));
    findings.extend(channels::heard(found));
    findings
}
