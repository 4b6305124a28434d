//! Mistakes with what is signed and what is sent.

use qcloud_validator::diagnose::Hypothesis;

use crate::mistakes::*;

use super::*;

pub(crate) fn query_presence() -> Vec<Mistake<QueryDraft>> {
    fn drop_signed(draft: &mut QueryDraft, name: &str) {
        draft.signed.retain(|(key, _)| key != name.as_bytes());
    }
    vec![
        Mistake::new(
            Hypothesis::EmptyOmitted,
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
        Mistake::new(
            Hypothesis::AddedAfterSigning,
            "one of its own",
            has_text,
            |draft, _| {
                drop_signed(draft, "Data");
            },
        ),
        Mistake::new(
            Hypothesis::AddedAfterSigning,
            "a common one",
            any,
            |draft, rng| {
                let common = ["Timestamp", "Nonce", "SecretId", "Region", "Action"];
                let name = *rng.pick(&common);
                drop_signed(draft, name);
            },
        ),
        Mistake::new(Hypothesis::SignatureIncluded, "", any, |draft, _| {
            draft.signed.push(("Signature".into(), Vec::new()));
        }),
        Mistake::new(
            Hypothesis::QueryAndBodyMixed,
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
        Mistake::new(
            Hypothesis::FilesLeftOut,
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
        Mistake::new(
            Hypothesis::FilesLeftOut,
            "at value",
            |draft, rng| {
                let path = format!("@/tmp/{}", rng.word(5, 9));
                draft.add("entityFile", path);
                is_post(draft)
            },
            |draft, _| drop_signed(draft, "entityFile"),
        ),
        Mistake::new(Hypothesis::ArrayLiteral, "", has_short_list, |draft, _| {
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
