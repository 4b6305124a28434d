//! Mistakes with the form of the signature.

use qcloud_validator::diagnose::Mistake;

use crate::mistakes::draft::*;
use crate::mistakes::hash::*;
use crate::mistakes::*;
use crate::signer::hex;

pub(crate) fn tc3_output() -> Vec<Case<Tc3Draft>> {
    vec![
        Case::new(
            Mistake::Base64InsteadOfHex,
            "",
            any,
            |draft: &mut Tc3Draft, _| {
                draft.writing = written_base64;
            },
        ),
        Case::new(Mistake::Base64OfHex, "", any, |draft, _| {
            draft.writing = |mac| base64(hex(mac).as_bytes());
        }),
        Case::new(Mistake::UpperCaseHex, "", any, |draft, _| {
            draft.writing = |mac| hex(mac).to_uppercase();
        }),
        Case::new(Mistake::SignatureTruncated, "to 40", any, |draft, _| {
            draft.writing = |mac| hex(mac)[..40].to_owned();
        }),
        Case::new(Mistake::PlainHash, "of text", any, |draft, _| {
            draft.mac = Mac::HashOfText;
        }),
        Case::new(Mistake::HmacArgumentsSwapped, "", any, |draft, _| {
            draft.mac = Mac::Swapped;
        }),
    ]
}
