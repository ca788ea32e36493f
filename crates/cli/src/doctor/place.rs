use std::path::PathBuf;

use geocast_server::RedisUrl;

use crate::arguments::RedisOptions;

/// Where the Redis is, and what TLS to it is spoken with.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) url: RedisUrl,
    files: Vec<TlsFile>,
}

/// A file that is named.
#[derive(Debug)]
struct TlsFile {
    /// By which option of ours, and by which of `redis-cli`.
    flags: [&'static str; 2],
    path: PathBuf,
}

impl Place {
    pub(super) fn new(url: RedisUrl, options: &RedisOptions) -> Self {
        let named = [
            (["--redis-ca", "--cacert"], &options.redis_ca),
            (["--redis-cert", "--cert"], &options.redis_cert),
            (["--redis-key", "--key"], &options.redis_key),
        ];
        let files =
            named.into_iter().filter_map(|(flags, path)| Some(TlsFile { flags, path: path.clone()? }));
        Self { url, files: files.collect() }
    }

    /// What names the files for `geocast`: flags and paths by turns.
    pub(super) fn for_geocast(&self) -> impl Iterator<Item = String> {
        self.words(0)
    }

    /// The same for `redis-cli`.
    pub(super) fn for_redis_cli(&self) -> impl Iterator<Item = String> {
        self.words(1)
    }

    fn words(&self, program: usize) -> impl Iterator<Item = String> {
        self.files
            .iter()
            .flat_map(move |TlsFile { flags, path }| [flags[program].to_owned(), path.display().to_string()])
    }
}
