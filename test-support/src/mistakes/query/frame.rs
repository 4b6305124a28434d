//! Mistakes with method, host, path and time.

use qcloud_validator::diagnose::Mistake;
use sha1::Sha1;
use sha2::Digest;

use crate::mistakes::draft::*;
use crate::mistakes::hash::*;
use crate::mistakes::random::Rng;
use crate::mistakes::text::*;
use crate::mistakes::*;
use crate::signer::hex;

use super::*;

pub(crate) fn query_frame() -> Vec<Case<QueryDraft>> {
    fn ported(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
        let port = *rng.pick(&["8443", "8080", "9000"]);
        draft.host = format!("{}:{port}", draft.host);
        draft.signed_host = draft.host.clone().into();
        true
    }
    fn forwarded(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
        let public = draft.host.clone();
        draft.host = format!("{}:9000", rng.word(4, 8).to_lowercase());
        draft.signed_host = draft.host.clone().into();
        draft.headers.push(("X-Forwarded-Host".to_owned(), public));
        true
    }
    fn prefixed(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
        draft.path = format!("/{}{}", rng.word(4, 7).to_lowercase(), draft.path);
        draft.signed_path = draft.path.clone().into();
        true
    }
    let mut all = vec![
        Case::new(
            Mistake::MethodMismatch,
            "other",
            any,
            |draft: &mut QueryDraft, _| {
                let other = if draft.method == "GET" { "POST" } else { "GET" };
                draft.signed_method = other.into();
            },
        ),
        Case::new(Mistake::MethodMismatch, "lower case", any, |draft, _| {
            draft.signed_method.make_ascii_lowercase();
        }),
        Case::new(Mistake::MethodToken, "algorithm", any, |draft, rng| {
            draft.signed_method = (*rng.pick(&["HmacSHA256", "HmacSHA1"])).into();
        }),
        Case::new(Mistake::MethodToken, "none", any, |draft, _| {
            draft.signed_method.clear();
        }),
        Case::new(Mistake::HostPort, "signed", any, |draft, rng| {
            draft
                .signed_host
                .extend_from_slice(rng.pick(&[":443", ":80"]).as_bytes());
        }),
        Case::new(Mistake::HostPort, "sent", ported, |draft, _| {
            let bare = draft.host.split(':').next().expect("a host");
            draft.signed_host = bare.into();
        }),
        Case::new(Mistake::HostCase, "upper label", any, |draft, _| {
            let dot = draft
                .signed_host
                .iter()
                .position(|&byte| byte == b'.')
                .expect("a dot");
            draft.signed_host[..dot].make_ascii_uppercase();
        }),
        Case::new(
            Mistake::HostCase,
            "sent in capitals",
            |draft, _| {
                draft.host = draft.host.to_uppercase();
                draft.signed_host.make_ascii_uppercase();
                true
            },
            |draft, _| draft.signed_host.make_ascii_lowercase(),
        ),
        Case::new(
            Mistake::HostRewritten,
            "forwarded",
            forwarded,
            |draft, _| {
                draft.signed_host = draft.headers.last().expect("prepared").1.clone().into();
            },
        ),
        Case::new(Mistake::HostOtherDomain, "", any, |draft, _| {
            let (service, _) = draft.host.split_once('.').expect("a dot");
            let domain = if draft.legacy {
                "tencentcloudapi.com"
            } else {
                "api.qcloud.com"
            };
            draft.signed_host = format!("{service}.{domain}").into();
        }),
        Case::new(Mistake::HostMissing, "", any, |draft, _| {
            draft.signed_host.clear();
        }),
        Case::new(
            Mistake::PathRewritten,
            "of the other dialect",
            any,
            |draft, _| {
                draft.signed_path = if draft.legacy { "/" } else { "/v2/index.php" }.into();
            },
        ),
        Case::new(Mistake::PathRewritten, "prefix", prefixed, |draft, _| {
            draft.signed_path = if draft.legacy { "/v2/index.php" } else { "/" }.into();
        }),
        Case::new(Mistake::PathRewritten, "slash", any, |draft, _| {
            draft.signed_path = if draft.legacy { "/v2/index.php/" } else { "" }.into();
        }),
        Case::new(Mistake::JoinWrong, "no question mark", any, |draft, _| {
            draft.join = |method, host, path, pairs| [method, host, path, pairs].concat();
        }),
        Case::new(Mistake::JoinWrong, "line ends", any, |draft, _| {
            draft.join = |method, host, path, pairs| [method, host, path, pairs].join(&b'\n');
        }),
        Case::new(Mistake::JoinWrong, "final line end", any, |draft, _| {
            draft.join = |method, host, path, pairs| {
                [&joined(method, host, path, pairs), b"\n".as_slice()].concat()
            };
        }),
        Case::new(Mistake::JoinWrong, "encoded as a whole", any, |draft, _| {
            draft.join = |method, host, path, pairs| {
                encoded(&joined(method, host, path, pairs)).into_bytes()
            };
        }),
        Case::new(
            Mistake::JoinWrong,
            "SHA-256 of the whole",
            any,
            |draft, _| {
                draft.join = |method, host, path, pairs| {
                    sha256_hex(&joined(method, host, path, pairs)).into_bytes()
                };
            },
        ),
        Case::new(Mistake::JoinWrong, "SHA-1 of the whole", any, |draft, _| {
            draft.join = |method, host, path, pairs| {
                hex(&Sha1::digest(joined(method, host, path, pairs))).into_bytes()
            };
        }),
    ];
    all.extend([
        Case::new(
            Mistake::HostDecorated,
            "scheme",
            any,
            |draft: &mut QueryDraft, rng| {
                let scheme = rng.pick(&["https://", "http://"]).as_bytes();
                draft.signed_host = [scheme, &draft.signed_host].concat();
            },
        ),
        Case::new(Mistake::HostDecorated, "blank", any, |draft, _| {
            // A blank before the host is also one after the method.
            draft.signed_host.push(b' ');
        }),
    ]);
    all
}
