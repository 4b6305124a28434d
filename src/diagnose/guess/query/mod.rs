//! How clients build the string of v1 and v2 wrongly.

mod join;
mod names;
mod order;
mod presence;
mod protocol_parameter;
mod values;
mod wire;

use super::{host, method, path};
use crate::diagnose::LONG;
use crate::diagnose::search::{Choice, Guess, Text, distinct, mistake_at};
use crate::diagnosis::{Finding, Mistake};
use crate::form::{Kind, Parameters};
use crate::policy::Policy;
use crate::request::RequestView;
use crate::scheme::Family;
use join::{Join, joined};
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

    method_choices: Vec<Choice<Vec<u8>>>,
    host_choices: Vec<Choice<Vec<u8>>>,
    path_choices: Vec<Choice<Vec<u8>>>,
    name_choices: Vec<Choice<Vec<Vec<u8>>>>,
    value_choices: Vec<Choice<Changed>>,
    order_choices: Vec<Choice<Vec<usize>>>,
    presence_choices: Vec<Choice<Vec<bool>>>,
    join_choices: Vec<Choice<Join>>,
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
        family: Family,
        parameters: &Parameters<'_>,
        policy: &Policy,
    ) -> Self {
        let post = request.method() == b"POST";
        let count = parameters.entries().len();
        let mut names: Vec<Vec<u8>> = Vec::with_capacity(count);
        let mut values: Vec<Vec<u8>> = Vec::with_capacity(count);
        let mut included = Vec::with_capacity(count);
        let mut files = Vec::with_capacity(count);
        for entry in parameters.entries() {
            let name = parameters.name(entry);
            names.push(name.to_vec());
            included.push(name != b"Signature");
            values.push(if name == b"Signature" {
                Vec::new()
            } else {
                parameters.value(entry).decoded().into_owned()
            });
            files.push(entry.kind() == Kind::File);
        }
        let own = names.len();
        let beside = if post { request.query() } else { &[] };
        let mut others = Parameters::none();
        if others.read_urlencoded(beside, MANY_PARAMETERS).is_ok() {
            for (name, value) in others.iter() {
                names.push(name.to_vec());
                values.push(value.to_vec());
                included.push(false);
                files.push(false);
            }
        }
        let sent = if post {
            request.payload().bytes().unwrap_or_default()
        } else {
            request.query()
        };
        let size: usize = names.iter().chain(&values).map(Vec::len).sum();
        let large = names.len() > MANY_PARAMETERS || size > LONG || sent.len() > LONGEST_SENT;
        let wire = if large {
            Wire::default()
        } else {
            Wire::new(sent, names.iter().take(own))
        };
        let mut sent_at: Vec<usize> = (0..own).map(|index| wire.position(index)).collect();
        sent_at.resize(names.len(), usize::MAX);
        let beside = names.len();
        let arrays = if large {
            Vec::new()
        } else {
            presence::arrays(&names)
        };
        for array in &arrays {
            names.push(array.clone());
            values.push(b"Array".to_vec());
            included.push(false);
            files.push(false);
            sent_at.push(usize::MAX);
        }
        let mut order: Vec<usize> = (0..names.len()).collect();
        let name_at = |index: &usize| names.get(*index).map(Vec::as_slice).unwrap_or_default();
        order.sort_by(|a, b| name_at(a).cmp(name_at(b)));

        let find = |wanted: &[u8]| {
            let at = names.iter().position(|name| name == wanted)?;
            values.get(at).map(Vec::as_slice)
        };
        let region = find(b"Region").unwrap_or_default().to_vec();

        let mut guess = Self {
            method: request.method().to_vec(),
            host: request.host().to_vec(),
            path: request.path().to_vec(),
            method_choices: method::choices(request.method()),
            host_choices: host::choices(request, policy, &region, &[]),
            path_choices: path::choices(request.path()),
            name_choices: Vec::new(),
            value_choices: Vec::new(),
            order_choices: Vec::new(),
            presence_choices: presence::choices(
                &names,
                &values,
                &included,
                &files,
                own..beside,
                &arrays,
            ),
            join_choices: join::choices(),
            names,
            values,
            order,
            included,
        };
        if !large {
            guess.value_choices = values::choices(&guess.names, &guess.values, &wire, own);
            guess.name_choices = names::choices(&guess.names);
            guess.order_choices =
                order::choices(&guess.names, &guess.values, &sent_at, &guess.order);
        }
        // The document of v2 reads `_` in names as `.`, after the sort.
        if family == Family::V2 {
            let bytes = guess.names.iter_mut().flatten();
            for underscore in bytes.filter(|byte| **byte == b'_') {
                *underscore = b'.';
            }
        }
        guess.method_choices = distinct(guess.method_choices, &guess.method);
        guess.host_choices = distinct(guess.host_choices, &guess.host);
        guess.path_choices = distinct(guess.path_choices, &guess.path);
        guess.name_choices = distinct(guess.name_choices, &guess.names);
        guess.value_choices = distinct(guess.value_choices, &Changed::default());
        guess.order_choices = distinct(guess.order_choices, &guess.order);
        guess.presence_choices = distinct(guess.presence_choices, &guess.included);
        guess
    }

    /// The string with another timestamp.
    pub(crate) fn with_timestamp(&self, timestamp: i64) -> Vec<u8> {
        let at = self.names.iter().position(|name| name == b"Timestamp");
        let changed = Changed::one(at.unwrap_or(usize::MAX), timestamp.to_string().into_bytes());
        joined(Parts {
            changed: &changed,
            ..self.parts(&[])
        })
    }

    /// Every order of a few parameters.
    pub(crate) fn orders(&self) -> Vec<Vec<usize>> {
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

    /// The string with its parameters in this order.
    pub(crate) fn in_order(&self, order: &[usize]) -> Vec<u8> {
        joined(Parts {
            order,
            ..self.parts(&[])
        })
    }

    fn parts<'p>(&'p self, chosen: &[Option<usize>]) -> Parts<'p> {
        fn pick<'p, T>(
            chosen: Option<&Option<usize>>,
            choices: &'p [Choice<Vec<T>>],
            base: &'p [T],
        ) -> &'p [T] {
            chosen
                .copied()
                .flatten()
                .and_then(|index| choices.get(index))
                .map_or(base, |choice| &choice.data)
        }
        let value = chosen.first().copied().flatten();
        let value = value.and_then(|index| self.value_choices.get(index));
        let join = chosen.get(7).copied().flatten();
        let join = join.and_then(|index| self.join_choices.get(index));
        Parts {
            values: &self.values,
            changed: value.map_or(Changed::NONE, |choice| &choice.data),
            names: pick(chosen.get(1), &self.name_choices, &self.names),
            order: pick(chosen.get(2), &self.order_choices, &self.order),
            included: pick(chosen.get(3), &self.presence_choices, &self.included),
            method: pick(chosen.get(4), &self.method_choices, &self.method),
            host: pick(chosen.get(5), &self.host_choices, &self.host),
            path: pick(chosen.get(6), &self.path_choices, &self.path),
            join: join.map_or(Join::Documented, |choice| choice.data),
        }
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
    fn families(&self) -> Vec<usize> {
        vec![
            self.value_choices.len(),
            self.name_choices.len(),
            self.order_choices.len(),
            self.presence_choices.len(),
            self.method_choices.len(),
            self.host_choices.len(),
            self.path_choices.len(),
            self.join_choices.len(),
        ]
    }

    fn text(&self, chosen: &[Option<usize>]) -> Text {
        joined(self.parts(chosen)).into()
    }

    fn mistake(&self, family: usize, index: usize) -> Finding {
        let found = match family {
            0 => mistake_at(&self.value_choices, index),
            1 => mistake_at(&self.name_choices, index),
            2 => mistake_at(&self.order_choices, index),
            3 => mistake_at(&self.presence_choices, index),
            4 => mistake_at(&self.method_choices, index),
            5 => mistake_at(&self.host_choices, index),
            6 => mistake_at(&self.path_choices, index),
            _ => mistake_at(&self.join_choices, index),
        };
        found.unwrap_or_else(|| Finding::new(Mistake::JoinWrong, ""))
    }
}
