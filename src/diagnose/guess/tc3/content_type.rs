//! Which content types a client may have signed instead of the one that arrived.

use crate::diagnose::LONG;
use crate::diagnose::guess::Choice;
use crate::diagnose::guess::text;
use crate::diagnosis::{Mistake, shown};

/// Content types as HTTP libraries and proxies rewrite them.
pub(super) fn choices(sent: &[u8]) -> Vec<Choice<Vec<u8>>> {
    if sent.len() > LONG {
        return Vec::new();
    }
    let bare = sent
        .split(|&byte| byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let mut types: Vec<Vec<u8>> = vec![bare.to_vec()];
    for media_type in [
        bare,
        b"application/json",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data",
        b"application/octet-stream",
        b"text/plain",
        b"",
    ] {
        types.push(media_type.to_vec());
        if media_type.is_empty() {
            continue;
        }
        for suffix in [
            "; charset=utf-8",
            ";charset=utf-8",
            "; charset=UTF-8",
            ";charset=UTF-8",
            "; charset=utf8",
            "; charset=\"utf-8\"",
            "; charset=gbk",
            "; charset=ISO-8859-1",
        ] {
            types.push([media_type, suffix.as_bytes()].concat());
        }
    }
    types.push(text::replace(sent, b"; ", b";"));
    types.push(text::replace(sent, b";", b"; "));
    types
        .into_iter()
        .map(|signed| Choice {
            mistake: Mistake::ContentTypeAltered,
            detail: format!("signed `{}`, arrived `{}`", shown(&signed), shown(sent)),
            data: signed,
        })
        .collect()
}
