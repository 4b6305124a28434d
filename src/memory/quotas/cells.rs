//! What a rule counts, for each account or principal that has drawn from it.

use std::borrow::Borrow;
use std::hash::Hash;

use dashmap::DashMap;
use foldhash::fast::RandomState;

use crate::store::LimitScope;
use crate::store::Principal;

/// A count for each account or each principal.
pub(super) enum Cells<T> {
    ByAccount(DashMap<Box<str>, T, RandomState>),
    ByPrincipal(DashMap<Principal, T, RandomState>),
}

impl<T> Cells<T> {
    pub(super) fn new(scope: LimitScope) -> Self {
        match scope {
            LimitScope::Account => Self::ByAccount(DashMap::default()),
            LimitScope::Principal => Self::ByPrincipal(DashMap::default()),
        }
    }

    pub(super) fn with<R>(
        &self,
        principal: &Principal,
        fresh: impl FnOnce() -> T,
        draw: impl FnOnce(&T) -> R,
    ) -> R {
        match self {
            Self::ByAccount(cells) => {
                let uin = principal.uin();
                with_cell(cells, uin, || uin.into(), fresh, draw)
            }
            Self::ByPrincipal(cells) => {
                with_cell(cells, principal, || principal.clone(), fresh, draw)
            }
        }
    }
}

/// Looks first, because that copies no key and lets others look at the same time.
fn with_cell<K, Q, T, R>(
    cells: &DashMap<K, T, RandomState>,
    key: &Q,
    owned: impl FnOnce() -> K,
    fresh: impl FnOnce() -> T,
    draw: impl FnOnce(&T) -> R,
) -> R
where
    K: Borrow<Q> + Eq + Hash,
    Q: Eq + Hash + ?Sized,
{
    match cells.get(key) {
        Some(cell) => draw(&cell),
        None => draw(&cells.entry(owned()).or_insert_with(fresh)),
    }
}
