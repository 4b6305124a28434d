//! Mistakes with the credential scope and the keys.

use qcloud_validator::diagnose::Hypothesis;

use crate::mistakes::draft::*;
use crate::mistakes::*;
use crate::signer::utc_date;

pub(crate) fn tc3_scope() -> Vec<Mistake<Tc3Draft>> {
    vec![
        Mistake::new(
            Hypothesis::ScopeMismatch,
            "another day",
            any,
            |draft: &mut Tc3Draft, rng| {
                let at: i64 = draft.timestamp.parse().expect("a number");
                let date = utc_date(at + [-86_400, 86_400][rng.below(2)]);
                draft.signed_scope.date.clone_from(&date);
                draft.chain_scope.date = date;
            },
        ),
        Mistake::new(
            Hypothesis::ScopeMismatch,
            "another terminator",
            any,
            |draft, _| {
                draft.signed_scope.end = "aws4_request".to_owned();
                draft.chain_scope.end = "aws4_request".to_owned();
            },
        ),
        Mistake::new(
            Hypothesis::ScopeMismatch,
            "date without dashes",
            any,
            |draft, _| {
                let date = draft.scope.date.replace('-', "");
                draft.signed_scope.date.clone_from(&date);
                draft.chain_scope.date = date;
            },
        ),
        Mistake::new(Hypothesis::KeyChain, "no prefix", any, |draft, _| {
            draft.chain = Chain::NoPrefix;
        }),
        Mistake::new(Hypothesis::KeyChain, "service first", any, |draft, _| {
            draft.chain = Chain::ServiceFirst;
        }),
        Mistake::new(Hypothesis::KeyChain, "step missing", any, |draft, rng| {
            draft.chain = *rng.pick(&[Chain::NoDate, Chain::NoService, Chain::NoTerminator]);
        }),
        Mistake::new(Hypothesis::KeyChain, "hexadecimal text", any, |draft, _| {
            draft.chain = Chain::HexText;
        }),
        Mistake::new(Hypothesis::KeyChain, "secret itself", any, |draft, _| {
            draft.chain = Chain::SecretItself;
        }),
        Mistake::new(Hypothesis::StringToSignForm, "unhashed", any, |draft, _| {
            draft.text = Text::Unhashed;
        }),
        Mistake::new(
            Hypothesis::StringToSignForm,
            "upper-case hash",
            any,
            |draft, _| {
                draft.text = Text::UpperCaseHash;
            },
        ),
        Mistake::new(Hypothesis::StringToSignForm, "no scope", any, |draft, _| {
            draft.text = Text::NoScope;
        }),
        Mistake::new(
            Hypothesis::StringToSignForm,
            "final line end",
            any,
            |draft, _| {
                draft.text = Text::FinalLineEnd;
            },
        ),
        Mistake::new(
            Hypothesis::StringToSignForm,
            "canonical request alone",
            any,
            |draft, _| {
                draft.text = Text::CanonicalAlone;
            },
        ),
    ]
}
