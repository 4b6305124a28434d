//! Arguments that several subcommands take.

use clap::ValueEnum;
use qcloud_validator::{Dialect, Language};

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one JSON object in each line.
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum LanguageName {
    #[value(name = "en-US")]
    EnUs,
    #[value(name = "zh-CN")]
    ZhCn,
}

impl From<LanguageName> for Language {
    fn from(name: LanguageName) -> Self {
        match name {
            LanguageName::EnUs => Self::EnUs,
            LanguageName::ZhCn => Self::ZhCn,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum DialectName {
    V2,
    V2Numeric,
    V3,
}

impl From<DialectName> for Dialect {
    fn from(name: DialectName) -> Self {
        match name {
            DialectName::V2 => Self::V2,
            DialectName::V2Numeric => Self::V2Numeric,
            DialectName::V3 => Self::V3,
        }
    }
}
