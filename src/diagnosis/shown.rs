//! Text of a request as evidence shows it.

/// Text for a reader: bounded, without control characters, bytes that are no UTF-8 as `\xNN`.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const LONGEST: usize = 160;
    // What follows cannot be seen, and may be a megabyte.
    let bytes = bytes.get(..LONGEST.saturating_mul(4)).unwrap_or(bytes);
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c if c.is_control() => out.push_str(&c.escape_default().to_string()),
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
        if out.chars().count() > LONGEST {
            return out.chars().take(LONGEST).chain(['…']).collect();
        }
    }
    out
}
