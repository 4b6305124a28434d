//! Mistakes with the form of the signature.

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE};
use qcloud_validator::diagnose::Mistake;

use crate::mistakes::hash::*;
use crate::mistakes::random::Rng;
use crate::mistakes::*;
use crate::signer::hex;

use super::*;

pub(crate) fn query_output() -> Vec<Case<QueryDraft>> {
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
        Case::new(
            Mistake::Sha256NotDeclared,
            "no SignatureMethod",
            undeclared,
            |draft, _| {
                draft.hash = Hash::Sha256;
            },
        ),
        Case::new(
            Mistake::Sha256NotDeclared,
            "HmacSHA1 declared",
            sha1,
            |draft, _| {
                draft.hash = Hash::Sha256;
            },
        ),
        Case::new(
            Mistake::Sha1Declared256,
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
        Case::new(Mistake::HexInsteadOfBase64, "lower", any, |draft, _| {
            draft.writing = written_hex;
        }),
        Case::new(Mistake::HexInsteadOfBase64, "upper", any, |draft, _| {
            draft.writing = |mac| hex(mac).to_uppercase();
        }),
        Case::new(Mistake::Base64OfHex, "lower", any, |draft, _| {
            draft.writing = |mac| base64(hex(mac).as_bytes());
        }),
        Case::new(Mistake::Base64OfHex, "upper", any, |draft, _| {
            draft.writing = |mac| base64(hex(mac).to_uppercase().as_bytes());
        }),
        Case::new(Mistake::UrlSafeBase64, "", any, |draft, _| {
            draft.writing = |mac| base64_with(&URL_SAFE, mac);
        }),
        Case::new(Mistake::UnpaddedBase64, "", any, |draft, _| {
            draft.writing = |mac| base64_with(&STANDARD_NO_PAD, mac);
        }),
        Case::new(Mistake::SignaturePlus, "raw", flat, |draft, _| {
            draft.signature_wire = SignatureWire::PlusRaw;
        }),
        Case::new(Mistake::SignaturePlus, "as %20", flat, |draft, _| {
            draft.signature_wire = SignatureWire::PlusAsBlank;
        }),
        Case::new(Mistake::SignatureDoubleEncoded, "", any, |draft, _| {
            draft.signature_wire = SignatureWire::Twice;
        }),
        Case::new(Mistake::SignatureTruncated, "to 20", any, |draft, _| {
            draft.writing = |mac| base64(mac)[..20].to_owned();
        }),
        Case::new(Mistake::SignatureTruncated, "by 4", any, |draft, _| {
            draft.writing = |mac| {
                let text = base64(mac);
                text[..text.len() - 4].to_owned()
            };
        }),
        Case::new(Mistake::SignatureDecorated, "quoted", any, |draft, _| {
            draft.writing = |mac| format!("\"{}\"", base64(mac));
        }),
        Case::new(
            Mistake::SignatureDecorated,
            "blank before",
            any,
            |draft, _| {
                draft.writing = |mac| format!(" {}", base64(mac));
            },
        ),
        Case::new(Mistake::PlainHash, "of text", any, |draft, _| {
            draft.mac = Mac::HashOfText;
        }),
        Case::new(Mistake::PlainHash, "of text and key", any, |draft, _| {
            draft.mac = Mac::HashOfTextAndKey;
        }),
        Case::new(Mistake::PlainHash, "of key and text", any, |draft, _| {
            draft.mac = Mac::HashOfKeyAndText;
        }),
        Case::new(Mistake::HmacArgumentsSwapped, "", any, |draft, _| {
            draft.mac = Mac::Swapped;
        }),
    ]
}
