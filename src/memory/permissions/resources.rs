//! Which resources a request names: in its parameters, or in a body that is not a form.
//!
//! Services find a field in more ways than one: in any letter case, as Go's decoder of JSON does, and as one value where a
//! list is expected. So rules that forbid take a name in every such spelling, and rules that grant in the exact one alone.

use std::borrow::Cow;

use crate::form::Parameters;
use crate::store::{Pattern, PermissionQuery, StoreError};

/// Reads the fields of a body that is not a form, such as JSON.
///
/// A closure will do:
///
/// ```
/// use qcloud_validator::memory::MemoryPermissions;
/// use qcloud_validator::store::{PermissionQuery, StoreError};
///
/// let permissions = MemoryPermissions::new().with_body_reader(
///     |query: &PermissionQuery<'_>, see: &mut dyn FnMut(&str, &str)| {
///         let body = query.payload.bytes().ok_or_else(|| StoreError::new("no body"))?;
///         // Here the JSON in `body` is read, and each of its values is shown.
///         # let _ = body;
///         see("InstanceIds.0", "ins-1");
///         Ok::<(), StoreError>(())
///     },
/// );
/// # let _ = permissions;
/// ```
pub trait BodyReader: Send + Sync {
    /// Shows `see` every value in the body with the name of its field, as it would be called in a form: `InstanceIds.0`.
    /// What is not shown is not checked.
    ///
    /// # Errors
    ///
    /// When the body cannot be read, or two programs could read it in two ways: an object that has a name twice, in any
    /// letter case. The request is refused with `CAMInnerError`.
    fn read(
        &self,
        query: &PermissionQuery<'_>,
        see: &mut dyn FnMut(&str, &str),
    ) -> Result<(), StoreError>;
}

impl<F> BodyReader for F
where
    F: Fn(&PermissionQuery<'_>, &mut dyn FnMut(&str, &str)) -> Result<(), StoreError> + Send + Sync,
{
    fn read(
        &self,
        query: &PermissionQuery<'_>,
        see: &mut dyn FnMut(&str, &str),
    ) -> Result<(), StoreError> {
        self(query, see)
    }
}

/// The fields of an action that name resources.
#[derive(Clone, Debug, Default)]
pub(super) struct ResourceFields {
    patterns: Vec<Pattern>,
    /// The same with every `_` as `.`, for the names of parameters.
    dotted: Vec<Pattern>,
    /// The same without regard to spelling.
    loose: Vec<LoosePattern>,
}

impl ResourceFields {
    pub(super) fn new(patterns: Vec<Pattern>) -> Self {
        let dotted = patterns
            .iter()
            .map(|pattern| dotted(pattern.text()).as_ref().into());
        Self {
            dotted: dotted.collect(),
            loose: patterns.iter().map(LoosePattern::new).collect(),
            patterns,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The resources that parameters name.
    pub(super) fn named_in(&self, parameters: &Parameters<'_>) -> Resources {
        let mut named = Resources::default();
        for (name, value) in parameters.iter() {
            let name = String::from_utf8_lossy(name);
            if let Some(spelling) = self.spelling(&dotted(&name), &self.dotted) {
                named.add(spelling, Resource::new(&value));
            }
        }
        named
    }

    /// The resources that a body names.
    pub(super) fn named_in_body(
        &self,
        query: &PermissionQuery<'_>,
        reader: &dyn BodyReader,
    ) -> Result<Resources, StoreError> {
        let mut named = Resources::default();
        reader.read(query, &mut |name, value| {
            if let Some(spelling) = self.spelling(name, &self.patterns) {
                named.add(spelling, Resource::Text(value.to_owned()));
            }
        })?;
        Ok(named)
    }

    /// How a name spells one of the fields; `None` if it is another name.
    fn spelling(&self, name: &str, exact: &[Pattern]) -> Option<Spelling> {
        if exact.iter().any(|pattern| pattern.matches(name)) {
            return Some(Spelling::Exact);
        }
        let name = LooseName::new(name);
        let mut patterns = self.loose.iter();
        patterns
            .any(|pattern| pattern.matches(&name))
            .then_some(Spelling::Loose)
    }
}

/// How a request spells the name of a field.
#[derive(Clone, Copy)]
enum Spelling {
    Exact,
    /// In another letter case, or as one value for a list, or the other way round.
    Loose,
}

/// The resources that a request names.
#[derive(Default)]
pub(super) struct Resources {
    pub(super) exact: Vec<Resource>,
    pub(super) loose: Vec<Resource>,
}

impl Resources {
    fn add(&mut self, spelling: Spelling, resource: Resource) {
        match spelling {
            Spelling::Exact => self.exact.push(resource),
            Spelling::Loose => self.loose.push(resource),
        }
    }
}

/// A resource as the request names it.
#[derive(Clone, Debug)]
pub(super) enum Resource {
    Text(String),
    /// Not UTF-8, here with replacement characters: no pattern can be compared with it.
    NotText(String),
}

impl Resource {
    fn new(value: &[u8]) -> Self {
        match String::from_utf8_lossy(value) {
            Cow::Borrowed(text) => Self::Text(text.to_owned()),
            Cow::Owned(text) => Self::NotText(text),
        }
    }

    /// The text to show.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) | Self::NotText(text) => text,
        }
    }
}

/// A name of a field without regard to spelling.
struct LooseName {
    folded: String,
    /// Without the positions in lists.
    without_indices: String,
}

impl LooseName {
    fn new(name: &str) -> Self {
        let folded = folded(name);
        let is_index = |segment: &&str| segment.bytes().all(|byte| byte.is_ascii_digit());
        let kept: Vec<&str> = folded
            .split('.')
            .filter(|segment| !is_index(segment))
            .collect();
        Self {
            without_indices: kept.join("."),
            folded,
        }
    }
}

/// A pattern for names without regard to spelling.
#[derive(Clone, Debug)]
struct LoosePattern {
    folded: Pattern,
    without_indices: Pattern,
}

impl LoosePattern {
    fn new(pattern: &Pattern) -> Self {
        let folded = folded(pattern.text());
        // The first is the field itself. A later `*` stands for a position.
        let is_index = |segment: &str| {
            segment
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'*')
        };
        let kept: Vec<&str> = folded
            .split('.')
            .enumerate()
            .filter(|(place, segment)| *place == 0 || !is_index(segment))
            .map(|(_, segment)| segment)
            .collect();
        Self {
            without_indices: kept.join(".").into(),
            folded: folded.into(),
        }
    }

    fn matches(&self, name: &LooseName) -> bool {
        self.folded.matches(&name.folded) || self.without_indices.matches(&name.without_indices)
    }
}

/// Without letter case, and with each way to write a member of a list as `.`.
///
/// Through upper case, since two letters beyond ASCII have an ASCII letter there and decoders take them for it.
fn folded(name: &str) -> String {
    name.chars()
        .filter(|&character| character != ']')
        .map(|character| {
            if matches!(character, '_' | '[') {
                '.'
            } else {
                character
            }
        })
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

/// The name of a parameter with every `_` as `.`.
fn dotted(name: &str) -> Cow<'_, str> {
    if name.contains('_') {
        Cow::Owned(name.replace('_', "."))
    } else {
        Cow::Borrowed(name)
    }
}
