//! The rules of the text dialect that concern its form.
//!
//! Each function is one rule, given as ABNF (RFC 5234) in its documentation. Rules consume what they match and
//! nothing behind it.

use nom::{
    IResult, Parser,
    branch::alt,
    bytes::complete::{take_till, take_till1},
    character::complete::{char, digit1},
    combinator::{all_consuming, map, map_res, opt, value},
    multi::{many0, separated_list0},
    sequence::{preceded, separated_pair, terminated},
};

use super::Members;

/// One word behind the command's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Argument<'a> {
    /// `name=value`; the value may be empty.
    Keyword(&'a str, &'a str),
    /// Any other word.
    Positional(&'a str),
}

/// `command = [ws] name *(ws argument) [ws]`; all of the input.
pub(super) fn command(input: &str) -> IResult<&str, (&str, Vec<Argument<'_>>)> {
    let arguments = many0(preceded(ws, argument));
    all_consuming(terminated(preceded(opt(ws), (name, arguments)), opt(ws))).parse(input)
}

/// `members = "inside" / "whole"`; all of the input.
pub(super) fn members(input: &str) -> IResult<&str, Members> {
    let inside = value(Members::Inside, nom::bytes::complete::tag("inside"));
    let whole = value(Members::Whole, nom::bytes::complete::tag("whole"));
    all_consuming(alt((inside, whole))).parse(input)
}

/// `integer = 1*DIGIT`, at most 4 294 967 295; all of the input.
pub(super) fn integer(input: &str) -> IResult<&str, u32> {
    all_consuming(map_res(digit1, str::parse)).parse(input)
}

/// `list = [item] *("," [item])`; all of the input, without the empty items.
pub(super) fn list(input: &str) -> IResult<&str, Vec<&str>> {
    let items = separated_list0(char(','), item);
    all_consuming(map(items, |items| items.into_iter().filter(|item| !item.is_empty()).collect()))
        .parse(input)
}

/// `item = *<any character but ",">`
fn item(input: &str) -> IResult<&str, &str> {
    take_till(|character| character == ',').parse(input)
}

/// `name = word`
fn name(input: &str) -> IResult<&str, &str> {
    word(input)
}

/// `argument = keyword / positional`
fn argument(input: &str) -> IResult<&str, Argument<'_>> {
    alt((keyword, positional)).parse(input)
}

/// `keyword = 1*<any character but white space and "="> "=" *<any character but white space>`
fn keyword(input: &str) -> IResult<&str, Argument<'_>> {
    let name = take_till1(|character| is_space(character) || character == '=');
    map(separated_pair(name, char('='), take_till(is_space)), |(name, value)| Argument::Keyword(name, value))
        .parse(input)
}

/// `positional = word`
fn positional(input: &str) -> IResult<&str, Argument<'_>> {
    map(word, Argument::Positional).parse(input)
}

/// `word = 1*<any character but white space>`
fn word(input: &str) -> IResult<&str, &str> {
    take_till1(is_space).parse(input)
}

/// `ws = 1*(SP / HTAB / LF / VT / FF / CR)`
fn ws(input: &str) -> IResult<&str, &str> {
    take_till1(|character| !is_space(character)).parse(input)
}

/// The white space of ASCII. Other white space is part of a word, where the word's own rules refuse it.
const fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

#[cfg(test)]
mod tests {
    use super::{Argument::*, *};

    #[test]
    fn splits_a_command_into_its_words() {
        let check = |input: &str, expected: (&str, &[Argument<'_>])| {
            let (rest, (name, arguments)) = command(input).unwrap();
            assert_eq!((rest, name, &arguments[..]), ("", expected.0, expected.1), "{input:?}");
        };
        check("PING", ("PING", &[]));
        check(" \t\r\n\u{b}\u{c}PING \n", ("PING", &[]));
        check("GET a  b", ("GET", &[Positional("a"), Positional("b")]));
        check("GET a\u{a0}b", ("GET", &[Positional("a\u{a0}b")]));
        check("a=b", ("a=b", &[]));
        check(
            "X a=b c= =d = a=b=c",
            (
                "X",
                &[
                    Keyword("a", "b"),
                    Keyword("c", ""),
                    Positional("=d"),
                    Positional("="),
                    Keyword("a", "b=c"),
                ],
            ),
        );
        assert!(command("").is_err());
        assert!(command(" \n").is_err());
    }

    #[test]
    fn splits_a_list_at_commas() {
        let check = |input: &str, expected: &[&str]| {
            assert_eq!(list(input).unwrap(), ("", expected.to_vec()), "{input:?}")
        };
        check("", &[]);
        check("rail", &["rail"]);
        check("rail,bus", &["rail", "bus"]);
        check(",rail,,bus,", &["rail", "bus"]);
    }

    #[test]
    fn reads_whole_numbers() {
        let check = |input: &str, expected: Option<u32>| {
            assert_eq!(integer(input).ok().map(|found| found.1), expected, "{input:?}")
        };
        check("0", Some(0));
        check("007", Some(7));
        check("4294967295", Some(u32::MAX));
        for wrong in ["", "4294967296", "-1", "+1", "1.0", "1e3", " 1", "１", "99999999999999999999999"] {
            check(wrong, None);
        }
    }

    #[test]
    fn reads_members() {
        let check = |input: &str, expected: Option<Members>| {
            assert_eq!(members(input).ok().map(|found| found.1), expected, "{input:?}")
        };
        check("inside", Some(Members::Inside));
        check("whole", Some(Members::Whole));
        for wrong in ["", "Inside", "insider", "all"] {
            check(wrong, None);
        }
    }
}
