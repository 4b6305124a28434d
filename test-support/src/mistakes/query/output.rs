//! Mistakes with the form of the signature.

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE};
use qcloud_validator::diagnose::Hypothesis;

use crate::mistakes::hash::*;
use crate::mistakes::random::Rng;
use crate::mistakes::*;
use crate::signer::hex;

use super::*;

pub(crate) fn query_output() -> Vec<Mistake<QueryDraft>> {
    fn sha1(draft: &mut QueryDraft, _: &mut Rng) -> bool {
        draft.hash == Hash::Sha1
    }
    fn undeclared(draft: &mut QueryDraft, _: &mut Rng) -> bool {
        *draft = draft.clone().without("SignatureMethod");
        draft.hash = Hash::Sha1;
        true
    }
    fn flat(draft: &mut QueryDraft, _: &mut Rng) -> bool {
        draft.form == Form::Urlencoded
    }
    vec![
        Mistake::new(
            Hypothesis::Sha256NotDeclared,
            "no SignatureMethod",
            undeclared,
            |draft, _| {
                draft.hash = Hash::Sha256;
            },
        ),
        Mistake::new(
            Hypothesis::Sha256NotDeclared,
            "HmacSHA1 declared",
            sha1,
            |draft, _| {
                draft.hash = Hash::Sha256;
            },
        ),
        Mistake::new(
            Hypothesis::Sha1Declared256,
            "",
            |draft, _| {
                *draft = draft
                    .clone()
                    .without("SignatureMethod")
                    .with("SignatureMethod", "HmacSHA256");
                draft.hash = Hash::Sha256;
                true
            },
            |draft, _| draft.hash = Hash::Sha1,
        ),
        Mistake::new(Hypothesis::HexInsteadOfBase64, "lower", any, |draft, _| {
            draft.writing = written_hex;
        }),
        Mistake::new(Hypothesis::HexInsteadOfBase64, "upper", any, |draft, _| {
            draft.writing = |mac| hex(mac).to_uppercase();
        }),
        Mistake::new(Hypothesis::Base64OfHex, "lower", any, |draft, _| {
            draft.writing = |mac| base64(hex(mac).as_bytes());
        }),
        Mistake::new(Hypothesis::Base64OfHex, "upper", any, |draft, _| {
            draft.writing = |mac| base64(hex(mac).to_uppercase().as_bytes());
        }),
        Mistake::new(Hypothesis::UrlSafeBase64, "", any, |draft, _| {
            draft.writing = |mac| base64_with(&URL_SAFE, mac);
        }),
        Mistake::new(Hypothesis::UnpaddedBase64, "", any, |draft, _| {
            draft.writing = |mac| base64_with(&STANDARD_NO_PAD, mac);
        }),
        Mistake::new(Hypothesis::SignaturePlus, "raw", flat, |draft, _| {
            draft.signature_wire = SignatureWire::PlusRaw;
        }),
        Mistake::new(Hypothesis::SignaturePlus, "as %20", flat, |draft, _| {
            draft.signature_wire = SignatureWire::PlusAsBlank;
        }),
        Mistake::new(Hypothesis::SignatureDoubleEncoded, "", any, |draft, _| {
            draft.signature_wire = SignatureWire::Twice;
        }),
        Mistake::new(Hypothesis::SignatureTruncated, "to 20", any, |draft, _| {
            draft.writing = |mac| base64(mac)[..20].to_owned();
        }),
        Mistake::new(Hypothesis::SignatureTruncated, "by 4", any, |draft, _| {
            draft.writing = |mac| {
                let text = base64(mac);
                text[..text.len() - 4].to_owned()
            };
        }),
        Mistake::new(Hypothesis::SignatureDecorated, "quoted", any, |draft, _| {
            draft.writing = |mac| format!("\"{}\"", base64(mac));
        }),
        Mistake::new(
            Hypothesis::SignatureDecorated,
            "blank before",
            any,
            |draft, _| {
                draft.writing = |mac| format!(" {}", base64(mac));
            },
        ),
        Mistake::new(Hypothesis::PlainHash, "of text", any, |draft, _| {
            draft.mac = Mac::HashOfText;
        }),
        Mistake::new(Hypothesis::PlainHash, "of text and key", any, |draft, _| {
            draft.mac = Mac::HashOfTextAndKey;
        }),
        Mistake::new(Hypothesis::PlainHash, "of key and text", any, |draft, _| {
            draft.mac = Mac::HashOfKeyAndText;
        }),
        Mistake::new(Hypothesis::HmacArgumentsSwapped, "", any, |draft, _| {
            draft.mac = Mac::Swapped;
        }),
    ]
}
