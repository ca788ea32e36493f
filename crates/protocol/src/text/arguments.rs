//! The arguments of one command, as its parameters take them.

use nom::Offset;

use crate::{Channel, ChannelError, Crs, Number, Pixels, Word, WordError, excerpt::excerpt};

use super::{Error, ErrorKind, grammar, grammar::Argument};

/// The words behind a command's name, on their way to becoming parameters.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    /// The whole frame, which offsets count in.
    input: &'a str,
    /// The command's name, for messages.
    command: &'static str,
    /// Positional words that no parameter has taken yet, last first.
    positional: Vec<&'a str>,
    /// Names and values in the order in which they were given.
    keywords: Vec<(&'a str, &'a str)>,
}

impl<'a> Arguments<'a> {
    /// Sorts the words behind `command` by form.
    pub(super) fn new(input: &'a str, command: &'static str, words: &[Argument<'a>]) -> Self {
        let positional = words.iter().rev().filter_map(|word| match *word {
            Argument::Positional(text) => Some(text),
            Argument::Keyword(..) => None,
        });
        let keywords = words.iter().filter_map(|word| match *word {
            Argument::Keyword(name, value) => Some((name, value)),
            Argument::Positional(_) => None,
        });
        Self { input, command, positional: positional.collect(), keywords: keywords.collect() }
    }

    /// How many positional words are left.
    pub(super) fn left(&self) -> usize {
        self.positional.len()
    }

    /// All keywords in the order in which they were given.
    pub(super) fn keywords(&self) -> &[(&'a str, &'a str)] {
        &self.keywords
    }

    /// The value of the last keyword of one of these names.
    pub(super) fn keyword(&self, names: &[&str]) -> Option<&'a str> {
        self.keywords.iter().rev().find(|(name, _)| names.contains(name)).map(|(_, value)| *value)
    }

    /// The next positional word.
    pub(super) fn positional(&mut self, parameter: &'static str) -> Result<&'a str, Error> {
        self.positional.pop().ok_or_else(|| self.missing(parameter))
    }

    /// The channel, by keyword or as the next positional word.
    pub(super) fn channel(&mut self) -> Result<Channel, Error> {
        let text = self.parameter(&["channel"]).ok_or_else(|| self.missing("channel"))?;
        text.parse().map_err(|error| {
            let shift = if let ChannelError::BadCharacter { offset, .. } = error { offset } else { 0 };
            self.fault(&text[shift..], ErrorKind::Channel(error))
        })
    }

    /// A key or client reference, by one of these keywords or as the next positional word.
    pub(super) fn word(&mut self, parameter: &'static str, names: &[&str]) -> Result<Option<Word>, Error> {
        let text = self.parameter(names);
        text.map(|text| self.as_word(parameter, text)).transpose()
    }

    /// A client reference by one of these keywords only.
    pub(super) fn keyword_word(
        &self,
        parameter: &'static str,
        names: &[&str],
    ) -> Result<Option<Word>, Error> {
        self.keyword(names).map(|text| self.as_word(parameter, text)).transpose()
    }

    /// The next positional word as a number.
    pub(super) fn number(&mut self, parameter: &'static str) -> Result<Number, Error> {
        let text = self.positional(parameter)?;
        self.as_number(parameter, text)
    }

    /// A number, by keyword or as the next positional word, if it is there.
    pub(super) fn optional_number(&mut self, parameter: &'static str) -> Result<Option<Number>, Error> {
        let text = self.parameter(&[parameter]);
        text.map(|text| self.as_number(parameter, text)).transpose()
    }

    /// A length on the map, by keyword, if it is there.
    pub(super) fn pixels(&self, parameter: &'static str) -> Result<Option<Pixels>, Error> {
        let read = |text: &'a str| {
            text.parse().map_err(|source| self.fault(text, ErrorKind::Pixels { parameter, source }))
        };
        self.keyword(&[parameter]).map(read).transpose()
    }

    /// The next positional word as a whole number.
    pub(super) fn integer(&mut self, parameter: &'static str) -> Result<u32, Error> {
        let text = self.positional(parameter)?;
        let Ok((_, number)) = grammar::integer(text) else {
            return Err(self.fault(text, ErrorKind::Integer { parameter, value: excerpt(text) }));
        };
        Ok(number)
    }

    /// `text`, a part of the frame, as a CRS.
    pub(super) fn as_crs(&self, text: &'a str) -> Result<Crs, Error> {
        text.parse().map_err(|error| self.fault(text, ErrorKind::Crs(error)))
    }

    /// Fails unless `expected` positional words are left.
    pub(super) fn exactly(&self, expected: usize, spelled: &'static str) -> Result<(), Error> {
        if self.left() == expected { Ok(()) } else { Err(self.wrong_arity(expected, spelled)) }
    }

    /// That the positional words are not as many as `spelled`, of which the most is `expected`.
    pub(super) fn wrong_arity(&self, expected: usize, spelled: &'static str) -> Error {
        let found = self.left();
        let kind = ErrorKind::WrongArity { command: self.command, expected: spelled, found };
        // Points at the first word too many, or behind the last where some are missing.
        match found.checked_sub(expected + 1) {
            Some(behind) => self.fault(self.positional[behind], kind),
            None => self.fault_at_end(kind),
        }
    }

    /// An error at the beginning of `at`, which is a part of the frame.
    pub(super) fn fault(&self, at: &'a str, kind: ErrorKind) -> Error {
        Error { kind, offset: self.input.offset(at), client_reference: None }
    }

    fn fault_at_end(&self, kind: ErrorKind) -> Error {
        Error { kind, offset: self.input.len(), client_reference: None }
    }

    fn missing(&self, parameter: &'static str) -> Error {
        self.fault_at_end(ErrorKind::Missing { command: self.command, parameter })
    }

    /// By keyword, or else the next positional word.
    fn parameter(&mut self, names: &[&str]) -> Option<&'a str> {
        self.keyword(names).or_else(|| self.positional.pop())
    }

    fn as_number(&self, parameter: &'static str, text: &'a str) -> Result<Number, Error> {
        text.parse().map_err(|source| self.fault(text, ErrorKind::Number { parameter, source }))
    }

    fn as_word(&self, parameter: &'static str, text: &'a str) -> Result<Word, Error> {
        text.parse().map_err(|source| {
            let shift = if let WordError::BadCharacter { offset, .. } = source { offset } else { 0 };
            self.fault(&text[shift..], ErrorKind::Word { parameter, source })
        })
    }
}
