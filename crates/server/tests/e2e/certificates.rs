use std::{fs, path::PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

/// An authority of the test's own, and what it vouches for, in files.
pub(crate) struct Certificates {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let mut params = CertificateParams::new(Vec::new()).expect("nothing is a name");
        // Different authorities have different names.
        params.distinguished_name.push(DnType::CommonName, format!("authority {}", fastrand::u64(..)));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let all = Self { folder, authority };
        all.write("ca.pem", &all.authority.pem());
        all
    }

    /// A file of the folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same, for a command line.
    pub(crate) fn path(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    /// Makes `NAME.pem` and `NAME.key` for these hosts.
    pub(crate) fn issue(&self, name: &str, hosts: &[&str]) {
        let key = KeyPair::generate().expect("a key");
        let hosts: Vec<_> = hosts.iter().map(|&host| host.to_owned()).collect();
        let params = CertificateParams::new(hosts).expect("names");
        let certificate = params.signed_by(&key, &self.authority).expect("a certificate");
        self.write(&format!("{name}.pem"), &certificate.pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }

    /// What a `redis-server` is told so that it speaks nothing but TLS on its port, with the certificate of this name.
    pub(crate) fn options(&self, name: &str) -> Vec<String> {
        let (certificate, key) = (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        ["--port", "0", "--tls-port", "{port}", "--tls-cert-file", &certificate, "--tls-key-file", &key]
            .into_iter()
            .chain(["--tls-ca-cert-file", &self.path("ca.pem")])
            .map(str::to_owned)
            .collect()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).expect("the folder is ours");
    }
}
