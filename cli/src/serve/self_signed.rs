//! Makes a certificate authority for tests, and with it a certificate for the names under which clients call the vendor.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use qcloud_validator::{Clock, SystemClock};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

/// Where they are.
pub(crate) struct Files {
    /// The server's, and the authority's after it.
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// For a client to be pointed here by its list of hosts.
const NAMES: [&str; 6] = [
    "localhost",
    "*.tencentcloudapi.com",
    "*.ap-guangzhou.tencentcloudapi.com",
    "*.internal.tencentcloudapi.com",
    "*.api.qcloud.com",
    "*.api.tencentyun.com",
];

const ADDRESSES: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

/// The files in a folder: those that are there, or new ones. The key of the authority is not kept, so that anyone who reads
/// the folder cannot make more certificates that the same clients trust. The error is one line.
pub(crate) fn ensure(folder: &Path) -> Result<Files, String> {
    let files = Files {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
    };
    let authority = folder.join("ca.pem");
    let all = [&files.certificate, &files.key, &authority];
    match all.iter().filter(|path| path.exists()).count() {
        0 => {
            let made =
                make().map_err(|error| format!("the certificate cannot be made: {error}"))?;
            fs::create_dir_all(folder)
                .map_err(|error| format!("{}: cannot be made: {error}", folder.display()))?;
            write(&files.key, &made.key, 0o600)?;
            write(&files.certificate, &made.certificate, 0o644)?;
            write(&authority, &made.authority, 0o644)?;
        }
        3 => {}
        _ => {
            return Err(format!(
                "{}: expected all of certificate.pem, key.pem and ca.pem, or none of them",
                folder.display()
            ));
        }
    }
    Ok(files)
}

struct Made {
    authority: String,
    certificate: String,
    key: String,
}

fn make() -> Result<Made, rcgen::Error> {
    let now = OffsetDateTime::from_unix_timestamp(SystemClock.now().seconds())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut authority = CertificateParams::default();
    (authority.not_before, authority.not_after) = valid(now, 3_650);
    authority.distinguished_name = named("qcloud-validator test authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let mut server = CertificateParams::new(NAMES.map(str::to_owned))?;
    server
        .subject_alt_names
        .extend(ADDRESSES.map(SanType::IpAddress));
    // Some clients refuse what is good for longer.
    (server.not_before, server.not_after) = valid(now, 825);
    server.distinguished_name = named("qcloud-validator");
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let server = server.signed_by(&key, &authority)?;
    Ok(Made {
        authority: authority.pem(),
        certificate: server.pem() + &authority.pem(),
        key: key.serialize_pem(),
    })
}

/// From yesterday on, for clients whose clocks are behind.
fn valid(now: OffsetDateTime, days: i64) -> (OffsetDateTime, OffsetDateTime) {
    (
        now.saturating_sub(Duration::DAY),
        now.saturating_add(Duration::days(days)),
    )
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// Makes a file that was not there, with this mode from its first byte on.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    let made = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)?;
        file.write_all(text.as_bytes())
    };
    made().map_err(|error| format!("{}: cannot be written: {error}", path.display()))
}
