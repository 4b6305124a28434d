//! Tables of a TOML file: each field has a type, and a field that is wrong or unknown is a fault with its line.
//!
//! A fault names the line, the field and what was expected, and never what was found: that may be a secret.

use std::fmt;
use std::ops::RangeInclusive;
use std::rc::Rc;

use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};
use toml::value::{Datetime, Offset};

/// What is wrong with a file, and on which line.
#[derive(Debug)]
pub struct Fault {
    line: usize,
    field: String,
    wrong: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A name in quotes may hold a line end.
        let field = self.field.escape_debug();
        write!(f, "{}: {field}: {}", self.line, self.wrong)
    }
}

/// A table, from which one field after the other is taken.
pub(crate) struct Table<'t> {
    lines: Rc<Lines>,
    /// Its name and those of the tables around it, such as `account.rule`; empty for the whole file.
    path: Rc<str>,
    /// Where it begins.
    line: usize,
    entries: Vec<(Spanned<DeString<'t>>, Spanned<DeValue<'t>>)>,
    /// Every field that was asked for.
    known: Vec<&'static str>,
}

/// A value, and where it stands.
pub(crate) struct Found<T> {
    pub(crate) value: T,
    pub(crate) line: usize,
}

/// The fields that a table may hold, as text and value.
pub(crate) type Choices<'c, T> = &'c [(&'static str, T)];

impl<'t> Table<'t> {
    /// The whole file.
    pub(crate) fn parse(text: &'t str) -> Result<Self, Fault> {
        let lines = Rc::new(Lines::of(text));
        match DeTable::parse(text) {
            Ok(table) => Ok(Self::new(lines, Rc::default(), 1, table.into_inner())),
            // The message is put together from fixed descriptions; the source line would be a quotation.
            Err(error) => Err(Fault {
                line: lines.at(error.span().map_or(0, |span| span.start)),
                field: "not TOML".to_owned(),
                wrong: error.message().replace('\n', " "),
            }),
        }
    }

    fn new(lines: Rc<Lines>, path: Rc<str>, line: usize, table: DeTable<'t>) -> Self {
        Self {
            lines,
            path,
            line,
            entries: table.into_iter().collect(),
            known: Vec::new(),
        }
    }

    /// The line on which the table begins.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// A fault of a field.
    pub(crate) fn fault(&self, line: usize, name: &str, wrong: impl Into<String>) -> Fault {
        Fault {
            line,
            field: self.within(name),
            wrong: wrong.into(),
        }
    }

    pub(crate) fn missing(&self, name: &str) -> Fault {
        self.fault(self.line, name, "missing")
    }

    fn take(&mut self, name: &'static str) -> Option<Found<DeValue<'t>>> {
        self.known.push(name);
        let index = self
            .entries
            .iter()
            .position(|(key, _)| key.get_ref() == name)?;
        let (key, value) = self.entries.swap_remove(index);
        Some(Found {
            line: self.lines.at(key.span().start),
            value: value.into_inner(),
        })
    }

    /// Text that is not empty.
    pub(crate) fn text(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Found<DeString<'t>>>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Found {
                value: DeValue::String(value),
                line,
            }) if !value.is_empty() => Ok(Some(Found { value, line })),
            Some(other) => Err(self.fault(other.line, name, "expected text that is not empty")),
        }
    }

    /// A list of texts, none of them empty.
    pub(crate) fn texts(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Found<Vec<String>>>, Fault> {
        const EXPECTED: &str =
            "expected a list of texts that are not empty, such as [\"a\", \"b\"]";
        let Some(Found { value, line }) = self.take(name) else {
            return Ok(None);
        };
        let DeValue::Array(items) = value else {
            return Err(self.fault(line, name, EXPECTED));
        };
        let mut texts = Vec::new();
        for item in items {
            match item.as_ref().as_str() {
                Some(text) if !text.is_empty() => texts.push(text.to_owned()),
                _ => {
                    let line = self.lines.at(item.span().start);
                    return Err(self.fault(line, name, EXPECTED));
                }
            }
        }
        Ok(Some(Found { value: texts, line }))
    }

    /// A whole number within a range.
    pub(crate) fn number(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Fault> {
        let Some(Found { value, line }) = self.take(name) else {
            return Ok(None);
        };
        let number = value
            .as_integer()
            .and_then(|integer| u64::from_str_radix(integer.as_str(), integer.radix()).ok());
        match number {
            Some(number) if range.contains(&number) => Ok(Some(number)),
            _ => {
                let (least, most) = (range.start(), range.end());
                let expected = format!("expected a whole number from {least} to {most}");
                Err(self.fault(line, name, expected))
            }
        }
    }

    /// An instant in seconds since 1970, written as such or as a date and time with an offset.
    pub(crate) fn instant(&mut self, name: &'static str) -> Result<Option<Found<i64>>, Fault> {
        let Some(Found { value, line }) = self.take(name) else {
            return Ok(None);
        };
        let seconds = match &value {
            DeValue::Integer(integer) => {
                i64::from_str_radix(integer.as_str(), integer.radix()).ok()
            }
            DeValue::Datetime(datetime) => unix_seconds(datetime),
            _ => None,
        };
        match seconds {
            Some(value) => Ok(Some(Found { value, line })),
            None => Err(self.fault(
                line,
                name,
                "expected seconds since 1970 or a time such as 2026-01-01T00:00:00Z",
            )),
        }
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        choices: Choices<'_, T>,
    ) -> Result<Option<T>, Fault> {
        let Some(Found { value, line }) = self.take(name) else {
            return Ok(None);
        };
        match chosen(value.as_str(), choices) {
            Some(choice) => Ok(Some(choice)),
            None => Err(self.fault(line, name, format!("expected {}", words(choices)))),
        }
    }

    /// A list of such words.
    pub(crate) fn choices<T: Copy>(
        &mut self,
        name: &'static str,
        choices: Choices<'_, T>,
    ) -> Result<Vec<T>, Fault> {
        let Some(Found { value, line }) = self.take(name) else {
            return Ok(Vec::new());
        };
        value
            .as_array()
            .and_then(|items| {
                items
                    .iter()
                    .map(|item| chosen(item.as_ref().as_str(), choices))
                    .collect()
            })
            .ok_or_else(|| self.fault(line, name, format!("expected a list of {}", words(choices))))
    }

    /// A table within, written `[name]`.
    pub(crate) fn table(&mut self, name: &'static str) -> Result<Option<Self>, Fault> {
        let Some(Found { value, line }) = self.take(name) else {
            return Ok(None);
        };
        match value {
            DeValue::Table(table) => Ok(Some(Self::new(
                Rc::clone(&self.lines),
                self.within(name).into(),
                line,
                table,
            ))),
            _ => Err(self.fault(
                line,
                name,
                format!("expected a table [{}]", self.within(name)),
            )),
        }
    }

    /// Tables within, written `[[name]]` each.
    pub(crate) fn tables(&mut self, name: &'static str) -> Result<Tables<'t>, Fault> {
        let mut tables = Tables {
            lines: Rc::clone(&self.lines),
            path: self.within(name).into(),
            line: self.line,
            items: None,
        };
        let Some(Found { value, line }) = self.take(name) else {
            return Ok(tables);
        };
        tables.line = line;
        match value {
            DeValue::Array(items) => tables.items = Some(items.into_iter()),
            _ => return Err(tables.wrong()),
        }
        Ok(tables)
    }

    /// Passes over fields that somebody else reads.
    pub(crate) fn skip(&mut self, names: &[&'static str]) {
        for name in names {
            self.take(name);
        }
    }

    /// Nothing may be left.
    pub(crate) fn finish(self) -> Result<(), Fault> {
        let first = self.entries.iter().min_by_key(|(key, _)| key.span().start);
        match first {
            None => Ok(()),
            Some((key, _)) => {
                let line = self.lines.at(key.span().start);
                let wrong = format!("unknown field; expected one of {}", self.known.join(", "));
                Err(self.fault(line, key.get_ref(), wrong))
            }
        }
    }

    fn within(&self, name: &str) -> String {
        match &*self.path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }
}

/// Tables of one name, one after the other: those that have been read take no memory any more.
pub(crate) struct Tables<'t> {
    lines: Rc<Lines>,
    path: Rc<str>,
    /// Where the first begins.
    line: usize,
    items: Option<<DeArray<'t> as IntoIterator>::IntoIter>,
}

impl Tables<'_> {
    /// The line on which the first of them begins, if there is one.
    pub(crate) fn line(&self) -> Option<usize> {
        self.items.as_ref().map(|_| self.line)
    }

    fn wrong(&self) -> Fault {
        Fault {
            line: self.line,
            field: self.path.to_string(),
            wrong: format!("expected tables [[{}]]", self.path),
        }
    }
}

impl<'t> Iterator for Tables<'t> {
    type Item = Result<Table<'t>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.items.as_mut()?.next()?;
        let line = self.lines.at(item.span().start);
        Some(match item.into_inner() {
            DeValue::Table(table) => {
                let (lines, path) = (Rc::clone(&self.lines), Rc::clone(&self.path));
                Ok(Table::new(lines, path, line, table))
            }
            _ => Err(self.wrong()),
        })
    }
}

fn chosen<T: Copy>(text: Option<&str>, choices: Choices<'_, T>) -> Option<T> {
    let text = text?;
    choices
        .iter()
        .find(|(word, _)| *word == text)
        .map(|(_, choice)| *choice)
}

fn words<T>(choices: Choices<'_, T>) -> String {
    let words: Vec<String> = choices
        .iter()
        .map(|(word, _)| format!("\"{word}\""))
        .collect();
    words.join(" or ")
}

/// `None` without date, time or offset: such a time means another instant in every place.
fn unix_seconds(datetime: &Datetime) -> Option<i64> {
    let (date, time, offset) = (datetime.date?, datetime.time?, datetime.offset?);
    let month = time::Month::try_from(date.month).ok()?;
    let local = time::Date::from_calendar_date(i32::from(date.year), month, date.day)
        .ok()?
        .with_hms(time.hour, time.minute, time.second.unwrap_or_default())
        .ok()?
        .assume_utc()
        .unix_timestamp();
    let minutes = match offset {
        Offset::Z => 0,
        Offset::Custom { minutes } => minutes,
    };
    local.checked_sub(i64::from(minutes).checked_mul(60)?)
}

/// Where the lines of a text begin. Found once: a file of 100,000 keys has a million places to name.
struct Lines {
    /// Offsets of the line ends, ascending.
    ends: Vec<usize>,
}

impl Lines {
    fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        Self {
            ends: ends.map(|(offset, _)| offset).collect(),
        }
    }

    /// The line of an offset, counted from 1.
    fn at(&self, offset: usize) -> usize {
        let before = self.ends.partition_point(|&end| end < offset);
        before.saturating_add(1)
    }
}
