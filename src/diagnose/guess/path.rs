//! Which paths a client may have signed instead of the one that arrived.

use super::text;
use crate::diagnose::LONG;
use crate::diagnose::guess::Choice;
use crate::diagnosis::{Mistake, shown};

/// Paths as they may have been signed.
pub(super) fn choices(sent: &[u8]) -> Vec<Choice<Vec<u8>>> {
    let mut found = Vec::new();
    if sent.len() > LONG {
        return found;
    }
    let mut add = |path: Vec<u8>| {
        found.push(Choice {
            mistake: Mistake::PathRewritten,
            detail: format!("signed path `{}`, arrived `{}`", shown(&path), shown(sent)),
            data: path,
        });
    };
    for path in [
        "/",
        "/v2/index.php",
        "",
        "/v2/index.php/",
        "/v2/",
        "/v2",
        "/index.php",
        "v2/index.php",
        "//",
    ] {
        add(path.as_bytes().to_vec());
    }
    add([sent, b"/"].concat());
    if let Some(path) = sent.strip_suffix(b"/") {
        add(path.to_vec());
    }
    // A proxy that adds a prefix: drop the first segments one by one.
    let mut rest = sent;
    for _ in 0..4 {
        let Some(slash) = rest.iter().skip(1).position(|&byte| byte == b'/') else {
            break;
        };
        rest = rest.get(slash.saturating_add(1)..).unwrap_or_default();
        add(rest.to_vec());
    }
    add(text::decode(sent));
    add(sent.to_ascii_lowercase());
    found
}
