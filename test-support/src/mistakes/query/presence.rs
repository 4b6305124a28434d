//! Mistakes with what is signed and what is sent.

use qcloud_validator::diagnose::Mistake;

use crate::mistakes::*;

use super::*;

pub(crate) fn query_presence() -> Vec<Case<QueryDraft>> {
    fn drop_signed(draft: &mut QueryDraft, name: &str) {
        draft.signed.retain(|(key, _)| key != name.as_bytes());
    }
    vec![
        Case::new(
            Mistake::EmptyOmitted,
            "",
            |draft, rng| {
                draft.add("Token2", "");
                if rng.one_in(2) {
                    draft.add("Hint", "");
                }
                true
            },
            |draft, _| draft.signed.retain(|(_, value)| !value.is_empty()),
        ),
        Case::new(
            Mistake::AddedAfterSigning,
            "one of its own",
            has_text,
            |draft, _| {
                drop_signed(draft, "Data");
            },
        ),
        Case::new(
            Mistake::AddedAfterSigning,
            "a common one",
            any,
            |draft, rng| {
                let common = ["Timestamp", "Nonce", "SecretId", "Region", "Action"];
                let name = *rng.pick(&common);
                drop_signed(draft, name);
            },
        ),
        Case::new(Mistake::SignatureIncluded, "", any, |draft, _| {
            draft.signed.push(("Signature".into(), Vec::new()));
        }),
        Case::new(
            Mistake::QueryAndBodyMixed,
            "",
            |draft, rng| {
                draft.beside_form = vec![("lang".into(), rng.word(3, 5).into())];
                if rng.one_in(2) {
                    draft
                        .beside_form
                        .push(("trace".into(), rng.word(5, 9).into()));
                }
                is_post(draft)
            },
            |draft, _| draft.signed.extend_from_slice(&draft.beside_form),
        ),
        Case::new(
            Mistake::FilesLeftOut,
            "file part",
            |draft, rng| {
                is_post(draft);
                draft.form = Form::Multipart;
                let content = rng.word(20, 40);
                draft.add("entityFile", content);
                draft.files.push("entityFile".into());
                true
            },
            |draft, _| drop_signed(draft, "entityFile"),
        ),
        Case::new(
            Mistake::FilesLeftOut,
            "at value",
            |draft, rng| {
                let path = format!("@/tmp/{}", rng.word(5, 9));
                draft.add("entityFile", path);
                is_post(draft)
            },
            |draft, _| drop_signed(draft, "entityFile"),
        ),
        Case::new(Mistake::ArrayLiteral, "", has_short_list, |draft, _| {
            let listed = |name: &Bytes| name.iter().position(|&byte| byte == b'.');
            let mut signed = Pairs::new();
            for (name, value) in &draft.signed {
                match listed(name) {
                    None => signed.push((name.clone(), value.clone())),
                    Some(dot) => {
                        let array = (name[..dot].to_vec(), b"Array".to_vec());
                        if !signed.contains(&array) {
                            signed.push(array);
                        }
                    }
                }
            }
            draft.signed = signed;
        }),
    ]
}
