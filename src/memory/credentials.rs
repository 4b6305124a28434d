//! Decides which credential belongs to a SecretId, from a map in memory.

use std::collections::HashSet;
use std::fmt;

use dashmap::DashMap;
use foldhash::fast::RandomState;

use crate::store::{Credential, CredentialStore, StoreError};

/// Credentials in memory. May be changed while requests are checked.
///
/// ```
/// use qcloud_validator::SecretKey;
/// use qcloud_validator::memory::MemoryCredentials;
/// use qcloud_validator::store::{Credential, Principal};
///
/// let credentials = MemoryCredentials::new();
/// credentials.insert(Credential::permanent(
///     "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
///     SecretKey::new("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")?,
///     Principal::account("100000000001"),
/// ));
/// assert_eq!(credentials.len(), 1);
/// # Ok::<(), qcloud_validator::EmptySecret>(())
/// ```
#[derive(Default)]
pub struct MemoryCredentials {
    /// Strangers may look up what they like, but all that is in here was put in by the operator: nobody can make a lookup
    /// long, and the fast hash will do.
    by_secret_id: DashMap<Box<str>, Credential, RandomState>,
}

impl MemoryCredentials {
    /// No credentials: everybody is refused.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a credential, and returns the one that had its SecretId before.
    #[expect(clippy::must_use_candidate, reason = "called for its effect")]
    pub fn insert(&self, credential: Credential) -> Option<Credential> {
        self.by_secret_id
            .insert(credential.secret_id().into(), credential)
    }

    /// Removes the credential with this SecretId, and returns it.
    #[expect(clippy::must_use_candidate, reason = "called for its effect")]
    pub fn remove(&self, secret_id: &str) -> Option<Credential> {
        self.by_secret_id
            .remove(secret_id)
            .map(|(_, credential)| credential)
    }

    /// Holds exactly `credentials` from here on, for a reload.
    ///
    /// Each SecretId changes at once, from what it was to what it shall be; the store as a whole does not: while this
    /// runs, one SecretId may be new and another still old. A concurrent [`insert`](Self::insert) of a SecretId that is
    /// not in `credentials` may be undone.
    pub fn replace_all(&self, credentials: impl IntoIterator<Item = Credential>) {
        let mut kept = HashSet::new();
        for credential in credentials {
            kept.insert(Box::<str>::from(credential.secret_id()));
            self.insert(credential);
        }
        self.by_secret_id
            .retain(|secret_id, _| kept.contains(secret_id));
    }

    /// How many credentials there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_secret_id.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_secret_id.is_empty()
    }
}

/// Of several credentials with one SecretId, the last counts.
impl FromIterator<Credential> for MemoryCredentials {
    fn from_iter<I: IntoIterator<Item = Credential>>(credentials: I) -> Self {
        let store = Self::new();
        for credential in credentials {
            store.insert(credential);
        }
        store
    }
}

impl CredentialStore for MemoryCredentials {
    fn find(&self, secret_id: &str) -> Result<Option<Credential>, StoreError> {
        Ok(self
            .by_secret_id
            .get(secret_id)
            .map(|credential| credential.clone()))
    }

    fn known(&self, limit: usize) -> Vec<Credential> {
        let credentials = self.by_secret_id.iter().take(limit);
        credentials.map(|credential| credential.clone()).collect()
    }
}

impl fmt::Debug for MemoryCredentials {
    /// Shows how many there are, and none of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryCredentials({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::SecretKey;
    use crate::store::Principal;

    #[test]
    fn finds_what_was_inserted_and_nothing_else() {
        let store = MemoryCredentials::new();
        assert!(store.is_empty());
        assert!(store.insert(credential("AKID1", "1")).is_none());
        assert!(!store.is_empty());
        assert_eq!(account_of(&store, "AKID1"), Some("1".to_owned()));
        assert_eq!(account_of(&store, "AKID2"), None);
        assert_eq!(account_of(&store, "akid1"), None);
        assert_eq!(account_of(&store, ""), None);
    }

    #[test]
    fn inserting_again_replaces_and_removing_removes() {
        let store = MemoryCredentials::new();
        store.insert(credential("AKID1", "1"));
        let before = store.insert(credential("AKID1", "2")).unwrap();
        assert_eq!(before.principal().uin(), "1");
        assert_eq!(account_of(&store, "AKID1"), Some("2".to_owned()));
        assert_eq!(store.len(), 1);
        assert_eq!(store.remove("AKID1").unwrap().principal().uin(), "2");
        assert!(store.remove("AKID1").is_none());
        assert!(store.is_empty());
    }

    #[test]
    fn of_equal_secret_ids_the_last_counts() {
        let store: MemoryCredentials = [credential("AKID1", "1"), credential("AKID1", "2")]
            .into_iter()
            .collect();
        assert_eq!(account_of(&store, "AKID1"), Some("2".to_owned()));
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn a_reload_leaves_exactly_the_new_ones() {
        let store: MemoryCredentials = [credential("AKID1", "1"), credential("AKID2", "2")]
            .into_iter()
            .collect();
        assert_eq!(store.len(), 2);
        store.replace_all([credential("AKID2", "20"), credential("AKID3", "3")]);
        assert_eq!(account_of(&store, "AKID1"), None);
        assert_eq!(account_of(&store, "AKID2"), Some("20".to_owned()));
        assert_eq!(account_of(&store, "AKID3"), Some("3".to_owned()));
        store.replace_all([]);
        assert!(store.is_empty());
    }

    #[test]
    fn some_are_known_and_no_more_than_are_asked_for() {
        let store: MemoryCredentials = [credential("AKID1", "1"), credential("AKID2", "2")]
            .into_iter()
            .collect();
        let known = |limit| store.known(limit).len();
        assert_eq!([known(0), known(1), known(2), known(3)], [0, 1, 2, 2]);
    }

    #[test]
    fn debug_prints_only_the_count() {
        let store: MemoryCredentials = [credential("AKID1", "1")].into_iter().collect();
        assert_eq!(format!("{store:?}"), "MemoryCredentials(1)");
    }

    fn credential(secret_id: &str, uin: &str) -> Credential {
        let key = SecretKey::new("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE").unwrap();
        Credential::permanent(secret_id, key, Principal::account(uin))
    }

    fn account_of(store: &MemoryCredentials, secret_id: &str) -> Option<String> {
        let found = store.find(secret_id).unwrap()?;
        Some(found.principal().uin().to_owned())
    }
}
