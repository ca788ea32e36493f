use geocast_server::{Site, SiteFile};

/// The live map, or a page that says how to build it where it was not there when this program was.
pub(super) fn site() -> Site {
    let files: Vec<SiteFile> = Vec::from(include!(concat!(env!("OUT_DIR"), "/site.rs")));
    if files.is_empty() {
        return Site::new([SiteFile::new("index.html", include_bytes!("no_map.html"))]);
    }
    Site::new(files)
}
