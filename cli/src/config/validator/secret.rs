//! Secrets: in the file itself, in an environment variable, or in a separate file.

use std::env;

use crate::config::files::Files;
use crate::config::toml_table::{Fault, Table};

/// Returns a secret: from the file itself, from an environment variable, or from a separate file, and from one of the three
/// at most. No fault quotes any of the three fields: each may hold the secret by mistake.
pub(crate) fn secret(
    table: &mut Table<'_>,
    names: [&'static str; 3],
    files: &mut Files,
) -> Result<Option<Vec<u8>>, Fault> {
    let [name, name_env, name_file] = names;
    let Some(here) = table.text(name)? else {
        return secret_elsewhere(table, names, files);
    };
    // Neither a variable nor a file is read where they may not be named.
    match (table.text(name_env)?, table.text(name_file)?) {
        (None, None) => {
            files.found_secret_inline();
            Ok(Some(here.value.into_owned().into_bytes()))
        }
        _ => Err(more_than_one(table, names)),
    }
}

/// Does the same where the first of the three is something other than text.
pub(crate) fn secret_elsewhere(
    table: &mut Table<'_>,
    names: [&'static str; 3],
    files: &mut Files,
) -> Result<Option<Vec<u8>>, Fault> {
    let [_, name_env, name_file] = names;
    let variable = table.text(name_env)?;
    let file = table.text(name_file)?;
    match (variable, file) {
        (None, None) => Ok(None),
        (Some(variable), None) => match env::var(&*variable.value) {
            Ok(secret) if !secret.is_empty() => Ok(Some(secret.into_bytes())),
            _ => Err(table.fault(
                variable.line,
                name_env,
                "expected the name of an environment variable that is set and not empty",
            )),
        },
        (None, Some(file)) => match files.secret(&files.path(&*file.value)) {
            Ok(text) => match without_line_end(&text) {
                "" => Err(table.fault(file.line, name_file, "expected a file that is not empty")),
                secret => Ok(Some(secret.as_bytes().to_vec())),
            },
            Err(error) => {
                let wrong = format!("expected a file that can be read: {error}");
                Err(table.fault(file.line, name_file, wrong))
            }
        },
        (Some(_), Some(_)) => Err(more_than_one(table, names)),
    }
}

fn more_than_one(table: &Table<'_>, [name, name_env, name_file]: [&'static str; 3]) -> Fault {
    let wrong = format!("expected only one of {name}, {name_env}, {name_file}");
    table.fault(table.line(), name, wrong)
}

/// Without one line end, which editors and `echo` add.
fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}
