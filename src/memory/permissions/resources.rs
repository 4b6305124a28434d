//! Which resources a request names: in its parameters, or in a body that is not a form.

use std::borrow::Cow;

use crate::form::Parameters;
use crate::store::{Pattern, PermissionQuery, StoreError};

/// Reads which resources a request names in a body that is not a form, such as JSON.
///
/// A closure will do:
///
/// ```
/// use qcloud_validator::memory::MemoryPermissions;
/// use qcloud_validator::store::{Pattern, PermissionQuery, StoreError};
///
/// let permissions = MemoryPermissions::new().with_resources(
///     |query: &PermissionQuery<'_>, fields: &[Pattern]| {
///         let body = query.payload.bytes().ok_or_else(|| StoreError::new("no body"))?;
///         // Here the JSON in `body` is read, and the values of the matching fields are returned.
///         # let _ = (body, fields);
///         Ok::<Vec<String>, StoreError>(Vec::new())
///     },
/// );
/// # let _ = permissions;
/// ```
pub trait Resources: Send + Sync {
    /// Every resource named in a field that matches one of `fields`: the patterns of
    /// [`ActionRules::with_resources`](super::ActionRules::with_resources). A resource that is left out is not judged.
    ///
    /// # Errors
    ///
    /// When the body cannot be read; the request is refused with `CAMInnerError`.
    fn in_body(
        &self,
        query: &PermissionQuery<'_>,
        fields: &[Pattern],
    ) -> Result<Vec<String>, StoreError>;
}

impl<F> Resources for F
where
    F: Fn(&PermissionQuery<'_>, &[Pattern]) -> Result<Vec<String>, StoreError> + Send + Sync,
{
    fn in_body(
        &self,
        query: &PermissionQuery<'_>,
        fields: &[Pattern],
    ) -> Result<Vec<String>, StoreError> {
        self(query, fields)
    }
}

/// A resource as the request names it.
pub(super) enum Named {
    Text(String),
    /// Not UTF-8, here with replacement characters: no pattern can be compared with it.
    NotText(String),
}

/// The resources in those parameters whose names, with every `_` as `.`, match one of the patterns.
pub(super) fn named_in(parameters: &Parameters<'_>, dotted_fields: &[Pattern]) -> Vec<Named> {
    parameters
        .iter()
        .filter(|(name, _)| {
            let name = dotted(name);
            dotted_fields.iter().any(|pattern| pattern.matches(&name))
        })
        .map(|(_, value)| match String::from_utf8(value.into_owned()) {
            Ok(resource) => Named::Text(resource),
            Err(not_text) => {
                Named::NotText(String::from_utf8_lossy(not_text.as_bytes()).into_owned())
            }
        })
        .collect()
}

/// The name of a parameter with every `_` as `.`.
fn dotted(name: &[u8]) -> Cow<'_, str> {
    let name = String::from_utf8_lossy(name);
    if name.contains('_') {
        Cow::Owned(name.replace('_', "."))
    } else {
        name
    }
}
