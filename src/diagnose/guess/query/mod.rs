//! Guesses at the string to sign of v1 and v2.

mod join;
mod names;
mod order;
mod presence;
mod protocol_parameter;
mod sent;
mod values;
mod wire;

use super::{Choice, Guess, Last, Text, distinct, family, host, method, path};
use crate::diagnose::LONG;
use crate::diagnosis::{Finding, Mistake};
use crate::form::Parameters;
use crate::policy::Policy;
use crate::request::RequestView;
use crate::scheme;
use join::{Join, joined};
use sent::Sent;
use values::Changed;
use wire::Wire;

/// A request whose string to sign can be built in many wrong ways.
pub(crate) struct QueryGuess {
    method: Vec<u8>,
    host: Vec<u8>,
    path: Vec<u8>,
    names: Vec<Vec<u8>>,
    values: Vec<Vec<u8>>,
    order: Vec<usize>,
    included: Vec<bool>,
    families: Vec<Vec<Choice<Part>>>,
}

/// A part of the string as a mistake makes it.
pub(crate) enum Part {
    Values(Changed),
    Names(Vec<Vec<u8>>),
    Order(Vec<usize>),
    Presence(Vec<bool>),
    Method(Vec<u8>),
    Host(Vec<u8>),
    Path(Vec<u8>),
    Join(Join),
}

/// A request with more, or with more than [`LONG`] bytes of them, is searched with its order, names and values as they are.
const MANY_PARAMETERS: usize = 200;
/// Each byte may be sent as three, and a multipart form has heads besides.
const LONGEST_SENT: usize = LONG * 4;
/// Every order of so few parameters can be tried.
const FEW_PARAMETERS: usize = 6;

impl QueryGuess {
    pub(crate) fn new(
        request: &RequestView<'_>,
        signed_as: scheme::Family,
        parameters: &Parameters<'_>,
        policy: &Policy,
    ) -> Self {
        let (wire, beside) = if request.method() == b"POST" {
            let body = request.payload().bytes().unwrap_or_default();
            (body, request.query())
        } else {
            (request.query(), &[][..])
        };
        let mut others = Parameters::none();
        if others.read_urlencoded(beside, MANY_PARAMETERS).is_err() {
            others = Parameters::none();
        }
        let mut sent = Sent::new(parameters, &others);
        let size: usize = sent.names.iter().chain(&sent.values).map(Vec::len).sum();
        let large = sent.names.len() > MANY_PARAMETERS || size > LONG || wire.len() > LONGEST_SENT;
        if !large {
            sent.add_arrays();
        }
        let mut order: Vec<usize> = (0..sent.names.len()).collect();
        order.sort_by(|&a, &b| sent.name(a).cmp(sent.name(b)));

        let presence = presence::choices(&sent);
        let (values, signed_names, orders) = if large {
            (Vec::new(), Vec::new(), Vec::new())
        } else {
            let wire = Wire::new(wire, sent.names.iter().take(sent.own()));
            (
                values::choices(&sent, &wire),
                names::choices(&sent.names),
                order::choices(&sent, &wire, &order),
            )
        };
        let region = sent.names.iter().position(|name| name == b"Region");
        let region = region.map_or(&[][..], |at| sent.value(at));
        let hosts = host::choices(request, policy, region, &[]);

        let mut names = sent.names;
        // The document of v2 reads `_` in names as `.`, after the sort.
        if signed_as == scheme::Family::V2 {
            let bytes = names.iter_mut().flatten();
            for underscore in bytes.filter(|byte| **byte == b'_') {
                *underscore = b'.';
            }
        }
        let (method, host) = (request.method().to_vec(), request.host().to_vec());
        let path = request.path().to_vec();
        // The order in which they are tried.
        let families = vec![
            family(Part::Values, distinct(values, &Changed::default())),
            family(Part::Names, distinct(signed_names, &names)),
            family(Part::Order, distinct(orders, &order)),
            family(Part::Presence, distinct(presence, &sent.included)),
            family(Part::Method, distinct(method::choices(&method), &method)),
            family(Part::Host, distinct(hosts, &host)),
            family(Part::Path, distinct(path::choices(&path), &path)),
            family(Part::Join, join::choices()),
        ];
        Self {
            method,
            host,
            path,
            names,
            values: sent.values,
            order,
            included: sent.included,
            families,
        }
    }

    /// Returns every order of a few parameters.
    fn orders(&self) -> Vec<Vec<usize>> {
        let signed: Vec<usize> = self
            .order
            .iter()
            .copied()
            .filter(|&index| self.included.get(index) == Some(&true))
            .collect();
        if signed.len() > FEW_PARAMETERS {
            return Vec::new();
        }
        let mut orders = vec![Vec::new()];
        for _ in 0..signed.len() {
            orders = orders
                .into_iter()
                .flat_map(|order: Vec<usize>| {
                    let left: Vec<usize> = signed
                        .iter()
                        .copied()
                        .filter(|index| !order.contains(index))
                        .collect();
                    left.into_iter().map(move |next| {
                        let mut longer = order.clone();
                        longer.push(next);
                        longer
                    })
                })
                .collect();
        }
        orders
    }

    fn parts<'p>(&'p self, changed: &[&'p Part]) -> Parts<'p> {
        let mut parts = Parts {
            values: &self.values,
            changed: Changed::NONE,
            names: &self.names,
            order: &self.order,
            included: &self.included,
            method: &self.method,
            host: &self.host,
            path: &self.path,
            join: Join::Documented,
        };
        for part in changed {
            match part {
                Part::Values(signed) => parts.changed = signed,
                Part::Names(signed) => parts.names = signed,
                Part::Order(signed) => parts.order = signed,
                Part::Presence(signed) => parts.included = signed,
                Part::Method(signed) => parts.method = signed,
                Part::Host(signed) => parts.host = signed,
                Part::Path(signed) => parts.path = signed,
                Part::Join(signed) => parts.join = *signed,
            }
        }
        parts
    }
}

#[derive(Clone, Copy)]
struct Parts<'p> {
    values: &'p [Vec<u8>],
    changed: &'p Changed,
    names: &'p [Vec<u8>],
    order: &'p [usize],
    included: &'p [bool],
    method: &'p [u8],
    host: &'p [u8],
    path: &'p [u8],
    join: Join,
}

impl Guess for QueryGuess {
    type Part = Part;

    fn families(&self) -> &[Vec<Choice<Part>>] {
        &self.families
    }

    fn text(&self, changed: &[&Part]) -> Text {
        joined(self.parts(changed)).into()
    }

    fn with_timestamp(&self, timestamp: i64) -> Vec<u8> {
        let at = self.names.iter().position(|name| name == b"Timestamp");
        let changed = at.map_or_else(Changed::default, |at| {
            Changed::one(at, timestamp.to_string().into_bytes())
        });
        joined(Parts {
            changed: &changed,
            ..self.parts(&[])
        })
    }

    fn last(&self) -> impl Iterator<Item = Last> {
        self.orders().into_iter().map(|order| Last {
            finding: Finding::new(
                Mistake::SortMissing,
                "in the order in which they were added",
            ),
            key: None,
            text: joined(Parts {
                order: &order,
                ..self.parts(&[])
            })
            .into(),
        })
    }
}
