//! Names of sources on the command line.

use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::ErrorKind;

use crate::source::{FileSource, registry};

/// Reads a source's word, and lists all of them in the help.
#[derive(Debug, Clone, Copy)]
pub struct SourceWord;

impl TypedValueParser for SourceWord {
    type Value = &'static dyn FileSource;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let words = clap::builder::PossibleValuesParser::new(registry::ALL.map(possible));
        let word = words.parse_ref(command, argument, value)?;
        registry::by_word(&word).ok_or_else(|| clap::Error::new(ErrorKind::InvalidValue).with_cmd(command))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(registry::ALL.into_iter().map(possible)))
    }
}

fn possible(source: &'static dyn FileSource) -> PossibleValue {
    PossibleValue::new(source.word()).help(source.about())
}
