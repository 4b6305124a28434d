//! Reads the fields of a JSON body, called as in a form: `InstanceIds.0`.

use std::collections::HashSet;
use std::fmt;

use qcloud_validator::store::{PermissionQuery, StoreError};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Shows `see` every value of the body with the name of its field.
pub(crate) fn read(
    query: &PermissionQuery<'_>,
    see: &mut dyn FnMut(&str, &str),
) -> Result<(), StoreError> {
    let body = query.payload.bytes().unwrap_or_default();
    if body.trim_ascii().is_empty() {
        // The body of a GET is never shown: this fails rather than pass over resources in a query that is no pairs.
        return Err(StoreError::new(format!(
            "{} names resources and has no JSON body to read them from",
            query.action
        )));
    }
    read_json(body, see).map_err(|error| {
        StoreError::new(format!(
            "the body of {} cannot be read as JSON: {error}",
            query.action
        ))
    })
}

fn read_json(body: &[u8], see: &mut dyn FnMut(&str, &str)) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let fields = Fields {
        name: &mut String::new(),
        see,
    };
    fields.deserialize(&mut json)?;
    json.end()
}

/// Names of fields are compared at each of their values: one that is as long as the body would take the square of it.
const LONGEST_NAME: usize = 1024;

/// Walks a value without building it.
struct Fields<'f> {
    name: &'f mut String,
    see: &'f mut dyn FnMut(&str, &str),
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
            see: &mut *self.see,
        });
        self.name.truncate(outer);
        read
    }

    fn value(self, value: impl fmt::Display) {
        (self.see)(self.name, &value.to_string());
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

    /// Of two fields with one name a service takes the first, the last or both; some ignore the case of letters.
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !seen.insert(folded(&name)) {
                return Err(Error::custom(
                    "an object has two fields whose names differ at most in the case of letters",
                ));
            }
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
        (self.see)(self.name, text);
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

/// Without the case of letters. Through upper case, as decoders that ignore it take `ſ` for `s` and the Kelvin sign for `k`.
fn folded(name: &str) -> String {
    name.chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &str) -> Result<Vec<(String, String)>, String> {
        let mut fields = Vec::new();
        read_json(body.as_bytes(), &mut |name, value| {
            fields.push((name.to_owned(), value.to_owned()));
        })
        .map(|()| fields)
        .map_err(|error| error.to_string())
    }

    #[test]
    fn fields_are_called_as_in_a_form() {
        let body = r#"{"InstanceIds":["ins-1","ins-2"],"Placement":{"ProjectId":7,"Zone":null},"DryRun":true,"x":-1.5}"#;
        let expected = [
            ("InstanceIds.0", "ins-1"),
            ("InstanceIds.1", "ins-2"),
            ("Placement.ProjectId", "7"),
            ("DryRun", "true"),
            ("x", "-1.5"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(fields(body), Ok(expected.to_vec()));
    }

    #[test]
    fn an_object_with_a_name_twice_is_refused() {
        for body in [
            r#"{"Id":"a","Id":"b"}"#,
            r#"{"Id":"a","Id":null}"#,
            r#"{"Ids":["a"],"ids":[]}"#,
            r#"{"Id":"a","\u0049d":"b"}"#,
            // `ſ` and the Kelvin sign.
            "{\"Ids\":[\"a\"],\"Id\u{17f}\":[]}",
            "{\"Key\":\"a\",\"\u{212a}ey\":\"b\"}",
            r#"{"Filters":[{"Name":"a","name":"b"}]}"#,
        ] {
            let refused = fields(body).unwrap_err();
            let said = "an object has two fields whose names differ at most in the case of letters";
            assert!(refused.starts_with(said), "{body}: {refused}");
        }
        let apart = r#"[{"Name":"a"},{"name":"b"}]"#;
        assert_eq!(fields(apart).unwrap().len(), 2);
    }
}
