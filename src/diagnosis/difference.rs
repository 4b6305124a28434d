//! Where two strings to sign first differ.

use std::fmt;

use super::shown::shown;

/// The first difference between the server's text and the client's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    offset: usize,
    line: usize,
    before: String,
    server: String,
    client: String,
}

/// Characters shown on either side.
const CONTEXT: usize = 32;

impl Difference {
    /// `None` if the texts are equal. A final line end of the client's text is not counted: files end in one.
    pub(crate) fn between(server: &str, client: &str) -> Option<Self> {
        // A last value may end in one, too.
        if server == client {
            return None;
        }
        let client = client.strip_suffix('\n').unwrap_or(client);
        let client = client.strip_suffix('\r').unwrap_or(client);
        // A TC3 client may show the canonical request, the string to sign, or both.
        let part = server
            .split("\n\nTC3-HMAC-SHA256\n")
            .next()
            .filter(|_| server.contains("\n\nTC3-HMAC-SHA256\n"));
        let server = match part {
            Some(canonical) if client.starts_with("TC3-HMAC-SHA256") => server
                .get(canonical.len().saturating_add(2)..)
                .unwrap_or(server),
            Some(canonical) if !client.contains("\n\nTC3-HMAC-SHA256\n") => canonical,
            _ => server,
        };
        if server == client {
            return None;
        }
        let common = server
            .char_indices()
            .zip(client.chars())
            .find(|((_, a), b)| a != b)
            .map_or_else(|| server.len().min(client.len()), |((at, _), _)| at);
        let head = server.get(..common).unwrap_or_default();
        let before: String = {
            let tail: Vec<char> = head.chars().rev().take(CONTEXT).collect();
            tail.into_iter().rev().collect()
        };
        let rest = |text: &str| -> String {
            let rest = text.get(common..).unwrap_or_default();
            shown(rest.chars().take(CONTEXT).collect::<String>().as_bytes())
        };
        Some(Self {
            offset: common,
            line: head.matches('\n').count().saturating_add(1),
            before: shown(before.as_bytes()),
            server: rest(server),
            client: rest(client),
        })
    }

    /// How many bytes agree.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The line of the first difference, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// What both texts say before it.
    #[must_use]
    pub fn before(&self) -> &str {
        &self.before
    }

    /// What the server's text says from there on; empty at its end.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// What the client's text says from there on; empty at its end.
    #[must_use]
    pub fn client(&self) -> &str {
        &self.client
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |text: &str| {
            if text.is_empty() {
                "(end)".to_owned()
            } else {
                text.to_owned()
            }
        };
        writeln!(
            f,
            "first difference at byte {}, line {}",
            self.offset, self.line
        )?;
        writeln!(f, "  both:   …{}", self.before)?;
        writeln!(f, "  server: {}", end(&self.server))?;
        write!(f, "  client: {}", end(&self.client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_with_its_context() {
        let found = Difference::between("GETa/?x=1&y=2", "GETa/?x=1&y=3").unwrap();
        assert_eq!((found.offset(), found.line()), (12, 1));
        assert_eq!(
            (found.before(), found.server(), found.client()),
            ("GETa/?x=1&y=", "2", "3")
        );
        assert_eq!(Difference::between("same", "same\n"), None);
        let shorter = Difference::between("a\nb\nc", "a\nb").unwrap();
        assert_eq!(
            (shorter.line(), shorter.server(), shorter.client()),
            (2, "\\nc", "")
        );
    }

    #[test]
    fn tc3_texts_are_compared_with_their_own_part() {
        let server = "GET\n/\n\nhost:a\n\nhost\ne3\n\nTC3-HMAC-SHA256\n1\nscope\nff";
        assert_eq!(
            Difference::between(server, "TC3-HMAC-SHA256\n1\nscope\nff"),
            None
        );
        assert_eq!(
            Difference::between(server, "GET\n/\n\nhost:a\n\nhost\ne3"),
            None
        );
        assert_eq!(Difference::between(server, server), None);
        let found = Difference::between(server, "TC3-HMAC-SHA256\n2\nscope\nff").unwrap();
        assert_eq!((found.line(), found.server()), (2, "1\\nscope\\nff"));
    }
}
