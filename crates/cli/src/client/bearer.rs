use anyhow::Context;
use hyper::header::HeaderValue;

/// The header `Authorization` of somebody who has this token or key.
pub(super) fn bearer(secret: &[u8]) -> anyhow::Result<HeaderValue> {
    let mut value = HeaderValue::from_bytes(&[b"Bearer ", secret].concat())
        .context("the token or publish key cannot be sent in a header")?;
    value.set_sensitive(true);
    Ok(value)
}
