use std::{fs, path::PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use crate::ClientTls;

/// An authority of the test's own, and what it vouches for, in files.
pub(super) struct Certificates {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Certificates {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Different authorities have different names.
        params.distinguished_name.push(DnType::CommonName, format!("authority {}", fastrand::u64(..)));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        Self { folder, authority }
    }

    /// A file of the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes `NAME.pem` and `NAME.key` for these hosts.
    pub(super) fn issue(&self, name: &str, hosts: &[&str]) {
        let key = KeyPair::generate().unwrap();
        let hosts: Vec<_> = hosts.iter().map(|&host| host.to_owned()).collect();
        let certificate = CertificateParams::new(hosts).unwrap().signed_by(&key, &self.authority).unwrap();
        fs::write(self.file(&format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(self.file(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    /// What a `redis-server` is told so that it speaks nothing but TLS on its port, with the certificate of this name.
    pub(super) fn options(&self, name: &str) -> Vec<String> {
        let path = |name: &str| self.file(name).display().to_string();
        let (certificate, key) = (path(&format!("{name}.pem")), path(&format!("{name}.key")));
        ["--port", "0", "--tls-port", "{port}", "--tls-cert-file", &certificate, "--tls-key-file", &key]
            .into_iter()
            .chain(["--tls-ca-cert-file", &path("ca.pem")])
            .map(str::to_owned)
            .collect()
    }

    /// Trusts the authority.
    pub(super) fn trust(&self) -> ClientTls {
        ClientTls::from_file(&self.file("ca.pem")).unwrap()
    }
}
