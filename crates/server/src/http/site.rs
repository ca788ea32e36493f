use std::{collections::HashMap, fmt, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use ring::digest::{SHA256, digest};

use super::router::{nothing_at, other_method, page};
use crate::node::Node;

/// What a program shows to browsers: a page at `/` and the files that belong to it.
///
/// Pages are sent with a `Content-Security-Policy` that allows nothing but files and connections of this server: no inline
/// scripts or styles, no other hosts.
///
/// ```
/// use geocast_server::{Site, SiteFile};
///
/// let page = SiteFile::new("index.html", b"<!doctype html><title>mine</title>");
/// let site = Site::new([page, SiteFile::new("assets/mine.css", b"body{}")]);
/// assert_eq!(site.len(), 2);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Site {
    files: Arc<HashMap<String, SiteFile>>,
}

/// A file of a [`Site`], as it is and compressed.
#[derive(Clone)]
pub struct SiteFile {
    path: &'static str,
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
    /// Of what it is, in every encoding.
    digest: String,
}

impl Site {
    /// The file of the path `index.html` is what stands at `/`, and any other page, such as `more.html`, stands at `/more` as well. Of
    /// several with the same path, the last counts.
    #[must_use]
    pub fn new(files: impl IntoIterator<Item = SiteFile>) -> Self {
        let address = |path: &str| if path == INDEX { "/".to_owned() } else { format!("/{path}") };
        Self { files: Arc::new(files.into_iter().map(|file| (address(file.path), file)).collect()) }
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub(crate) fn file(&self, path: &str) -> Option<&SiteFile> {
        self.files.get(path).or_else(|| {
            let page = path.rsplit('/').next().filter(|name| !name.is_empty() && !name.contains('.'));
            page.and_then(|_| self.files.get(&format!("{path}.html")))
        })
    }
}

impl SiteFile {
    /// A file whose path, without a slash at its beginning, is its address. Files below `assets/` have names that change
    /// with what is in them: browsers are told to keep them.
    #[must_use]
    pub fn new(path: &'static str, plain: &'static [u8]) -> Self {
        let digest = URL_SAFE_NO_PAD.encode(&digest(&SHA256, plain).as_ref()[..DIGEST]);
        Self { path, plain, gzip: None, brotli: None, digest }
    }

    /// The same, as gzip compresses it (RFC 1952).
    #[must_use]
    pub fn gzip(self, bytes: &'static [u8]) -> Self {
        Self { gzip: Some(bytes), ..self }
    }

    /// The same, as Brotli compresses it (RFC 7932).
    #[must_use]
    pub fn brotli(self, bytes: &'static [u8]) -> Self {
        Self { brotli: Some(bytes), ..self }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let (encoding, bytes) = self.encoded(headers);
        // Each encoding is a representation of its own (RFC 9110 §8.8.3.3).
        let tag = format!("\"{}{}\"", self.digest, encoding.map_or("", |(_, suffix)| suffix));
        let mut response = if has(headers, &tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Body::from(Bytes::from_static(bytes)).into_response()
        };
        let fields = response.headers_mut();
        let mut set = |name, value| fields.insert(name, HeaderValue::from_static(value));
        set(header::CONTENT_TYPE, self.content_type());
        set(header::CACHE_CONTROL, if self.path.starts_with("assets/") { FOR_EVER } else { "no-cache" });
        set(header::VARY, "accept-encoding");
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        // Tokens may stand in addresses.
        set(header::REFERRER_POLICY, "no-referrer");
        if self.path.ends_with(".html") {
            set(header::CONTENT_SECURITY_POLICY, POLICY);
        }
        if let Some((name, _)) = encoding {
            set(header::CONTENT_ENCODING, name);
        }
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            fields.insert(header::ETAG, tag);
        }
        response
    }

    /// The smallest form that the client takes, and its name.
    fn encoded(&self, headers: &HeaderMap) -> (Option<(&'static str, &'static str)>, &'static [u8]) {
        let forms = [(self.brotli, ("br", "-br")), (self.gzip, ("gzip", "-gz"))];
        let taken = forms.into_iter().find_map(|(bytes, name)| {
            bytes.filter(|_| takes(headers, name.0)).map(|bytes| (Some(name), bytes))
        });
        taken.unwrap_or((None, self.plain))
    }

    fn content_type(&self) -> &'static str {
        let ending = self.path.rsplit_once('.').map_or("", |(_, ending)| ending);
        let known = TYPES.iter().find(|(known, _)| *known == ending);
        known.map_or("application/octet-stream", |(_, name)| name)
    }
}

impl fmt::Debug for SiteFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SiteFile")
            .field("path", &self.path)
            .field("bytes", &self.plain.len())
            .finish()
    }
}

/// `GET /`.
pub(crate) async fn first(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response {
    match node.site.file("/") {
        Some(file) => file.answer(&headers),
        None => page().await.into_response(),
    }
}

/// What nothing else answers to.
pub(crate) async fn other(
    State(node): State<Arc<Node>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match node.site.file(uri.path()) {
        Some(file) if matches!(method, Method::GET | Method::HEAD) => file.answer(&headers),
        Some(_) => {
            let mut refusal = other_method(method, uri).await.into_response();
            refusal.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            refusal
        }
        None => nothing_at(&method, &uri).into_response(),
    }
}

/// Whether the client says that it takes an encoding (RFC 9110 §12.5.3). `*` is none that anybody sends.
fn takes(headers: &HeaderMap, encoding: &str) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|entry| {
        let (name, weight) = entry.split_once(';').unwrap_or((entry, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case(encoding) && weight.is_ok_and(|weight| weight > 0.0)
    })
}

/// Whether the client has that already (RFC 9110 §13.1.2). A proxy that has compressed it itself made the tag a weak one.
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
    })
}

const INDEX: &str = "index.html";
/// Bytes of a digest that tell versions of a file apart.
const DIGEST: usize = 16;
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES: [(&str, &str); 8] = [
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("json", "application/json"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("woff2", "font/woff2"),
    ("txt", "text/plain; charset=utf-8"),
];
