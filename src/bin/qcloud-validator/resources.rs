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
        // Fails rather than pass over resources in the query of a TC3 GET.
        return Err(StoreError::new(format!(
            "{} names resources and has no JSON body to read them from",
            query.action
        )));
    }
    let mut resources = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = Fields {
        name: String::new(),
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

/// Walks a value without building it, so that a field that occurs twice is judged twice, whichever a backend takes.
struct Fields<'f> {
    name: String,
    patterns: &'f [Pattern],
    resources: &'f mut Vec<String>,
}

impl Fields<'_> {
    fn within(&mut self, name: &str) -> Fields<'_> {
        let name = match self.name.as_str() {
            "" => name.to_owned(),
            outer => format!("{outer}.{name}"),
        };
        Fields {
            name,
            patterns: self.patterns,
            resources: self.resources,
        }
    }

    fn value(self, value: impl fmt::Display) {
        if self
            .patterns
            .iter()
            .any(|pattern| pattern.matches(&self.name))
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
            map.next_value_seed(self.within(&name))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let mut index: usize = 0;
        while items
            .next_element_seed(self.within(&index.to_string()))?
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
