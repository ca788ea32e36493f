use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::*;

fn pair() -> (String, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

fn check(certificate: &str, key: &str, expected: &str) {
    let error = Tls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap_err().to_string();
    assert!(error.contains(expected), "{error:?} says nothing of {expected:?}");
}

#[test]
fn what_is_wrong_is_said() {
    let ((certificate, key), (_, other)) = (pair(), pair());
    assert!(Tls::from_pem(certificate.as_bytes(), key.as_bytes()).is_ok());
    check("", &key, "there is no certificate in the given PEM");
    check(&key, &key, "there is no certificate in the given PEM");
    check(&certificate, "", "there is no private key in the given PEM");
    check(&certificate, &certificate, "there is no private key in the given PEM");
    check(&certificate, &other, "does not belong to the certificate");
    check(&certificate.replace("END CERT", "END CART"), &key, "the certificate in the given PEM is broken");
    let noise = |label: &str| format!("-----BEGIN {label}-----\nbm9pc2U=\n-----END {label}-----\n");
    check(&noise("CERTIFICATE"), &key, "no X.509 certificate");
    check(&certificate, &noise("PRIVATE KEY"), "the private key in the given PEM cannot be used");
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    check(&certificate, &encrypted, "is encrypted: remove its passphrase");
}

#[test]
fn a_broken_file_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    let write = |(first, second): &(String, String)| {
        fs::write(&certificate, first).unwrap();
        fs::write(&key, second).unwrap();
    };
    write(&pair());
    let tls = Tls::from_files(&certificate, &key).unwrap();
    let first = tls.fingerprint();
    assert_eq!(first.len(), 32 * 3 - 1);
    // Half of an exchange: the new certificate is there, the new key is not.
    let next = pair();
    fs::write(&certificate, &next.0).unwrap();
    let error = tls.reload().unwrap_err().to_string();
    assert!(error.contains("k.pem does not belong to the certificate in"), "{error}");
    assert_eq!(tls.fingerprint(), first);
    write(&next);
    tls.reload().unwrap();
    assert_ne!(tls.fingerprint(), first);
    fs::remove_file(&key).unwrap();
    assert!(tls.reload().unwrap_err().to_string().ends_with("k.pem cannot be read"));
}
