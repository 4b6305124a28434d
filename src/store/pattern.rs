//! Patterns with `*`, by which rules and limits name actions and resources.

use std::fmt;

/// A text in which each `*` stands for any characters, or none. Case matters; there is no way to mean a literal `*`.
///
/// ```
/// use qcloud_validator::store::Pattern;
///
/// assert!(Pattern::new("Describe*").matches("DescribeInstances"));
/// assert!(!Pattern::new("Describe*").matches("StopInstances"));
/// assert!(Pattern::new("Filters.*.Values.*").matches("Filters.0.Values.1"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    text: Box<str>,
    /// How much of it stands before the first `*`; all of it if there is none.
    start: usize,
}

impl Pattern {
    /// The pattern written as `text`.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        let text = text.into();
        let start = text.find('*').unwrap_or(text.len());
        Self { text, start }
    }

    /// Returns whether the whole of `text` matches. Takes time in proportion to the two lengths.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (start, rest) = self.text.split_at(self.start);
        let rest = match rest.as_bytes() {
            [] => return start == text,
            [_] => return text.starts_with(start),
            [_, ..] => rest.strip_prefix('*').unwrap_or_default(),
        };
        let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
        let Some(text) = text
            .strip_prefix(start)
            .and_then(|text| text.strip_suffix(end))
        else {
            return false;
        };
        // The first place where a piece matches leaves the most room for the following ones: no other need be tried.
        middle
            .split('*')
            .try_fold(text, |text, piece| {
                text.split_once(piece).map(|(_, rest)| rest)
            })
            .is_some()
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn matches_everything(&self) -> bool {
        !self.text.is_empty() && self.text.bytes().all(|byte| byte == b'*')
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

impl<T: Into<Box<str>>> From<T> for Pattern {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("", "a", false),
            ("a", "a", true),
            ("a", "A", false),
            ("a", "ab", false),
            ("*", "", true),
            ("*", "anything", true),
            ("**", "anything", true),
            ("a*", "a", true),
            ("a*", "ab", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*ab*ab*", "abab", true),
            ("*ab*ab*", "aba", false),
            ("ab*bc", "abc", false),
            ("InstanceIds.*", "InstanceIds.0", true),
            ("InstanceIds.*", "InstanceIdsX0", false),
            ("实例-*", "实例-1", true),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(text),
                fits,
                "{pattern:?} on {text:?}"
            );
        }
    }

    #[test]
    fn only_stars_match_everything() {
        for (pattern, everything) in [
            ("*", true),
            ("**", true),
            ("", false),
            ("a", false),
            ("*a", false),
            ("a*", false),
            ("*a*", false),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches_everything(),
                everything,
                "{pattern:?}"
            );
        }
    }

    #[test]
    fn a_pattern_made_to_backtrack_takes_no_time() {
        let pattern = Pattern::new("*a".repeat(2000) + "b");
        assert!(!pattern.matches(&"a".repeat(200_000)));
    }
}
