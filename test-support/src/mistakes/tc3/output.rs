//! Mistakes with the form of the signature.

use qcloud_validator::diagnose::Hypothesis;

use crate::mistakes::draft::*;
use crate::mistakes::hash::*;
use crate::mistakes::*;
use crate::signer::hex;

pub(crate) fn tc3_output() -> Vec<Mistake<Tc3Draft>> {
    vec![
        Mistake::new(
            Hypothesis::Base64InsteadOfHex,
            "",
            any,
            |draft: &mut Tc3Draft, _| {
                draft.writing = written_base64;
            },
        ),
        Mistake::new(Hypothesis::Base64OfHex, "", any, |draft, _| {
            draft.writing = |mac| base64(hex(mac).as_bytes());
        }),
        Mistake::new(Hypothesis::UpperCaseHex, "", any, |draft, _| {
            draft.writing = |mac| hex(mac).to_uppercase();
        }),
        Mistake::new(Hypothesis::SignatureTruncated, "to 40", any, |draft, _| {
            draft.writing = |mac| hex(mac)[..40].to_owned();
        }),
        Mistake::new(Hypothesis::PlainHash, "of text", any, |draft, _| {
            draft.mac = Mac::HashOfText;
        }),
        Mistake::new(Hypothesis::HmacArgumentsSwapped, "", any, |draft, _| {
            draft.mac = Mac::Swapped;
        }),
    ]
}
