//! Mistakes with method, host, path and time.

use qcloud_validator::diagnose::Mistake;

use crate::mistakes::draft::*;
use crate::mistakes::random::Rng;
use crate::mistakes::*;

pub(crate) fn tc3_frame() -> Vec<Case<Tc3Draft>> {
    fn ported(draft: &mut Tc3Draft, rng: &mut Rng) -> bool {
        let host = format!("{}:{}", draft.host, rng.pick(&["8443", "8080", "9000"]));
        *draft = draft.clone().hosted(&host);
        true
    }
    fn forwarded(draft: &mut Tc3Draft, rng: &mut Rng) -> bool {
        let public = draft.host.clone();
        let host = format!("{}:9000", rng.word(4, 8).to_lowercase());
        *draft = draft
            .clone()
            .hosted(&host)
            .header("X-Forwarded-Host", &public);
        true
    }
    vec![
        Case::new(
            Mistake::MethodMismatch,
            "other",
            any,
            |draft: &mut Tc3Draft, _| {
                let other = if draft.method == "GET" { "POST" } else { "GET" };
                draft.signed_method = other.to_owned();
            },
        ),
        Case::new(Mistake::MethodMismatch, "lower case", any, |draft, _| {
            draft.signed_method = draft.method.to_lowercase();
        }),
        Case::new(Mistake::HostPort, "signed", any, |draft, rng| {
            let host = format!("{}{}", draft.host, rng.pick(&[":443", ":80"]));
            draft.set_line("host", &host);
        }),
        Case::new(Mistake::HostPort, "sent", ported, |draft, _| {
            let bare = draft.host.split(':').next().expect("a host").to_owned();
            draft.set_line("host", &bare);
        }),
        Case::new(Mistake::HostCase, "upper label", any, |draft, _| {
            let (label, rest) = draft.host.split_once('.').expect("a dot");
            let host = format!("{}.{rest}", label.to_uppercase());
            draft.set_line("host", &host);
        }),
        Case::new(
            Mistake::HostRewritten,
            "forwarded",
            forwarded,
            |draft, _| {
                let public = draft.headers.last().expect("prepared").1.clone();
                draft.set_line("host", &public);
            },
        ),
        Case::new(
            Mistake::HostRewritten,
            "address",
            |draft, rng| {
                let host = format!("10.0.{}.{}", rng.below(250), 1 + rng.below(250));
                *draft = draft.clone().hosted(&host);
                true
            },
            |draft, _| {
                let host = format!("{}.tencentcloudapi.com", draft.scope.service);
                draft.set_line("host", &host);
            },
        ),
        Case::new(Mistake::HostOtherDomain, "regional", any, |draft, _| {
            let host = format!("{}.ap-guangzhou.tencentcloudapi.com", draft.scope.service);
            draft.set_line("host", &host);
        }),
        Case::new(Mistake::HostOtherDomain, "legacy", any, |draft, _| {
            let host = format!("{}.api.qcloud.com", draft.scope.service);
            draft.set_line("host", &host);
        }),
        Case::new(Mistake::HostDecorated, "scheme", any, |draft, rng| {
            let host = format!("{}{}", rng.pick(&["https://", "http://"]), draft.host);
            draft.set_line("host", &host);
        }),
        Case::new(Mistake::HostMissing, "empty line", any, |draft, _| {
            draft.set_line("host", "");
        }),
        Case::new(Mistake::PathRewritten, "empty", any, |draft, _| {
            draft.signed_path.clear();
        }),
        Case::new(Mistake::PathRewritten, "legacy", any, |draft, _| {
            draft.signed_path = "/v2/index.php".to_owned();
        }),
        Case::new(
            Mistake::PathRewritten,
            "prefix",
            |draft, rng| {
                draft.path = format!("/{}/", rng.word(4, 7).to_lowercase());
                draft.signed_path = draft.path.clone();
                true
            },
            |draft, _| draft.signed_path = "/".to_owned(),
        ),
    ]
}
