//! Mistakes with the credential scope and the keys.

use qcloud_validator::diagnose::Mistake;

use crate::mistakes::draft::*;
use crate::mistakes::*;
use crate::signer::utc_date;

pub(crate) fn tc3_scope() -> Vec<Case<Tc3Draft>> {
    vec![
        Case::new(
            Mistake::ScopeMismatch,
            "another day",
            any,
            |draft: &mut Tc3Draft, rng| {
                let at: i64 = draft.timestamp.parse().expect("a number");
                let date = utc_date(at + [-86_400, 86_400][rng.below(2)]);
                draft.signed_scope.date.clone_from(&date);
                draft.chain_scope.date = date;
            },
        ),
        Case::new(
            Mistake::ScopeMismatch,
            "another terminator",
            any,
            |draft, _| {
                draft.signed_scope.end = "aws4_request".to_owned();
                draft.chain_scope.end = "aws4_request".to_owned();
            },
        ),
        Case::new(
            Mistake::ScopeMismatch,
            "date without dashes",
            any,
            |draft, _| {
                let date = draft.scope.date.replace('-', "");
                draft.signed_scope.date.clone_from(&date);
                draft.chain_scope.date = date;
            },
        ),
        Case::new(Mistake::KeyChain, "no prefix", any, |draft, _| {
            draft.chain = Chain::NoPrefix;
        }),
        Case::new(Mistake::KeyChain, "service first", any, |draft, _| {
            draft.chain = Chain::ServiceFirst;
        }),
        Case::new(Mistake::KeyChain, "step missing", any, |draft, rng| {
            draft.chain = *rng.pick(&[Chain::NoDate, Chain::NoService, Chain::NoTerminator]);
        }),
        Case::new(Mistake::KeyChain, "hexadecimal text", any, |draft, _| {
            draft.chain = Chain::HexText;
        }),
        Case::new(Mistake::KeyChain, "secret itself", any, |draft, _| {
            draft.chain = Chain::SecretItself;
        }),
        Case::new(Mistake::StringToSignForm, "unhashed", any, |draft, _| {
            draft.text = Text::Unhashed;
        }),
        Case::new(
            Mistake::StringToSignForm,
            "upper-case hash",
            any,
            |draft, _| {
                draft.text = Text::UpperCaseHash;
            },
        ),
        Case::new(Mistake::StringToSignForm, "no scope", any, |draft, _| {
            draft.text = Text::NoScope;
        }),
        Case::new(
            Mistake::StringToSignForm,
            "final line end",
            any,
            |draft, _| {
                draft.text = Text::FinalLineEnd;
            },
        ),
        Case::new(
            Mistake::StringToSignForm,
            "canonical request alone",
            any,
            |draft, _| {
                draft.text = Text::CanonicalAlone;
            },
        ),
    ]
}
