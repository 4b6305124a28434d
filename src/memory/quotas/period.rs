//! Whether a quota has a request left in the period of the present.

use std::sync::Mutex;

use super::cells::Cells;
use crate::store::QuotaRule;
use crate::store::{QuotaDraw, QuotaVerdict, StoreError};

pub(super) struct Period {
    pub(super) rule: QuotaRule,
    cells: Cells<Mutex<Drawn>>,
}

/// How many requests were drawn in a period.
struct Drawn {
    period: i64,
    requests: u64,
}

impl Period {
    pub(super) fn new(rule: QuotaRule) -> Self {
        let cells = Cells::new(rule.applies.scope);
        Self { rule, cells }
    }

    pub(super) fn draw(&self, draw: &QuotaDraw<'_>) -> Result<Option<QuotaVerdict>, StoreError> {
        if !self.rule.applies.to(draw) {
            return Ok(None);
        }
        let period = self.rule.period_at(draw.now);
        let fresh = || {
            Mutex::new(Drawn {
                period,
                requests: 0,
            })
        };
        self.cells.with(draw.principal, fresh, |drawn| {
            let mut drawn = drawn
                .lock()
                .map_err(|_| StoreError::new("a thread panicked while it drew from this quota"))?;
            if drawn.period < period {
                *drawn = Drawn {
                    period,
                    requests: 0,
                };
            }
            if drawn.requests >= self.rule.limit {
                return Ok(Some(QuotaVerdict::QuotaExhausted {
                    limit: self.rule.limit,
                    resets_at: self.rule.end_of(drawn.period),
                }));
            }
            drawn.requests = drawn.requests.saturating_add(1);
            Ok(None)
        })
    }
}
