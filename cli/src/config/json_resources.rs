//! Decides which resources a JSON body names: its fields are called as in a form, `InstanceIds.0`, and compared with the
//! same patterns.

use std::fmt;

use qcloud_validator::store::{Pattern, PermissionQuery, StoreError};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Every value of a field that matches a pattern.
pub(crate) fn in_body(
    query: &PermissionQuery<'_>,
    fields: &[Pattern],
) -> Result<Vec<String>, StoreError> {
    let body = query.payload.bytes().unwrap_or_default();
    if body.trim_ascii().is_empty() {
        // The body of a GET is never shown: this fails rather than pass over resources in a query that is no pairs.
        return Err(StoreError::new(format!(
            "{} names resources and has no JSON body to read them from",
            query.action
        )));
    }
    let mut resources = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = Fields {
        name: &mut String::new(),
        patterns: fields,
        resources: &mut resources,
    };
    read.deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| {
            StoreError::new(format!("the body of {} is not JSON: {error}", query.action))
        })?;
    Ok(resources)
}

/// Names of fields are compared at each of their values: one that is as long as the body would take the square of it.
const LONGEST_NAME: usize = 1024;

/// Walks a value without building it, so that a field that occurs twice is judged twice, whichever a backend takes.
struct Fields<'f> {
    name: &'f mut String,
    patterns: &'f [Pattern],
    resources: &'f mut Vec<String>,
}

impl Fields<'_> {
    /// Reads what stands under `name` within this value.
    fn within<R, E: Error>(
        &mut self,
        name: &str,
        read: impl FnOnce(Fields<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        let outer = self.name.len();
        if outer > 0 {
            self.name.push('.');
        }
        self.name.push_str(name);
        if self.name.len() > LONGEST_NAME {
            return Err(E::custom(format_args!(
                "the name of a field is longer than {LONGEST_NAME} bytes"
            )));
        }
        let read = read(Fields {
            name: &mut *self.name,
            patterns: self.patterns,
            resources: &mut *self.resources,
        });
        self.name.truncate(outer);
        read
    }

    fn value(self, value: impl fmt::Display) {
        if self
            .patterns
            .iter()
            .any(|pattern| pattern.matches(self.name))
        {
            self.resources.push(value.to_string());
        }
    }
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            self.within(&name, |fields| map.next_value_seed(fields))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let mut index: usize = 0;
        while self
            .within(&index.to_string(), |fields| items.next_element_seed(fields))?
            .is_some()
        {
            index = index.saturating_add(1);
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.value(text);
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.value(number);
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.value(number);
        Ok(())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.value(number);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.value(value);
        Ok(())
    }

    /// `null` names nothing.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}
