//! Certificate of a listener: from files, or made for tests. Another can be put in its place while connections go on.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, crypto::ring};
use tokio_rustls::TlsAcceptor;

use super::self_signed;
use crate::config::files::Files;
use crate::config::gateway::TlsConfig;

/// The certificate of one listener, as it is now.
pub(crate) struct Identity(ArcSwap<CertifiedKey>);

impl Identity {
    pub(crate) fn new(key: CertifiedKey) -> Self {
        Self(ArcSwap::from_pointee(key))
    }

    /// Shows another certificate from the next handshake on.
    pub(crate) fn take(&self, key: CertifiedKey) {
        self.0.store(Arc::new(key));
    }

    pub(crate) fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, String> {
        let resolver: Arc<dyn ResolvesServerCert> = self.clone();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS: {error}"))?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// Reads certificate and key, or makes them where the configuration says so. The error is one line.
pub(crate) fn read(config: &TlsConfig, files: &mut Files) -> Result<CertifiedKey, String> {
    match config {
        TlsConfig::Files { certificate, key } => from_files(certificate, key, files),
        TlsConfig::SelfSigned { folder } => {
            let made = self_signed::ensure(folder)?;
            from_files(&made.certificate, &made.key, files)
        }
    }
}

fn from_files(certificate: &Path, key: &Path, files: &mut Files) -> Result<CertifiedKey, String> {
    files.holds_secret(key);
    let mut pem = |path: &Path| {
        let read = files.bytes(path);
        read.map_err(|error| format!("{}: cannot be read: {error}", path.display()))
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem(certificate)?).collect();
    let chain = chain
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| {
            let path = certificate.display();
            format!("{path}: expected a chain of certificates in PEM, that of the server first")
        })?;
    let private = PrivateKeyDer::from_pem_slice(&pem(key)?)
        .map_err(|_| format!("{}: expected a private key in PEM", key.display()))?;
    CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|error| {
        let (certificate, key) = (certificate.display(), key.display());
        format!("{key}: expected the key of {certificate}: {error}")
    })
}
