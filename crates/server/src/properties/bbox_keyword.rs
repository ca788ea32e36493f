use std::str::FromStr;

use geocast_protocol::text::{Property, PropertyError, PropertyName};
use thiserror::Error;

use super::PropertyFilters;

/// What a keyword behind BBOX means that is not the name of a property: written as `mots=type` for one that asks for another
/// property, and as `gen=` for one that asks for none.
///
/// Map clients send what other servers understand, and what no feature has would let no feature pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BboxKeyword {
    keyword: PropertyName,
    /// The property that it asks for; none where it is passed over.
    property: Option<Box<str>>,
}

/// What says nothing about a keyword.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BboxKeywordError {
    /// There is no `=`.
    #[error("`{0}` has no meaning: write KEYWORD=property, such as mots=type, or KEYWORD= to pass it over")]
    NoMeaning(String),
    /// What stands before the `=` cannot be a keyword.
    #[error("`{keyword}`: {source}")]
    Keyword {
        /// What stands there.
        keyword: String,
        /// What is wrong with it.
        source: PropertyError,
    },
}

impl BboxKeyword {
    /// What mobility-toolbox-js sends: levels of generalisation, which concern a server that has several, and the modes of
    /// transport, which its features have as `type`.
    pub(crate) fn usual() -> Vec<Self> {
        ["gen=", "gen_level=", "graph=", "mots=type"]
            .map(|text| text.parse().expect("it is a keyword with a meaning"))
            .into()
    }

    /// The filters that keywords stand for. Where one is given twice, the last counts; one without a value asks for nothing.
    pub(crate) fn filters(known: &[Self], given: &[Property]) -> PropertyFilters {
        let last = given.iter().enumerate().filter(|(place, property)| {
            !property.values.is_empty()
                && given.iter().skip(place + 1).all(|later| later.name != property.name)
        });
        PropertyFilters::written(last.filter_map(|(_, Property { name, values })| {
            let property = match known.iter().find(|known| known.keyword == *name) {
                Some(known) => known.property.as_deref()?,
                None => name.as_str(),
            };
            Some((property, values.iter().map(|value| value.as_str())))
        }))
    }
}

impl FromStr for BboxKeyword {
    type Err = BboxKeywordError;

    fn from_str(text: &str) -> Result<Self, BboxKeywordError> {
        let (keyword, property) =
            text.split_once('=').ok_or_else(|| BboxKeywordError::NoMeaning(text.to_owned()))?;
        let refused = |source| BboxKeywordError::Keyword { keyword: keyword.to_owned(), source };
        let property = Some(property).filter(|property| !property.is_empty()).map(Into::into);
        Ok(Self { keyword: keyword.parse().map_err(refused)?, property })
    }
}

#[cfg(test)]
mod tests {
    use geocast_protocol::text::Command;

    use super::*;

    fn filters(known: &[&str], command: &str) -> PropertyFilters {
        let known: Vec<BboxKeyword> = known.iter().map(|text| text.parse().expect("a keyword")).collect();
        let Ok(Command::Bbox(Some(bbox))) = command.parse() else { panic!("{command}") };
        BboxKeyword::filters(&known, &bbox.properties)
    }

    #[test]
    fn keywords_become_filters() {
        let known = ["gen=", "mots=type", "other=line"];
        let written = |rules: &[(&str, &[&str])]| {
            PropertyFilters::written(rules.iter().map(|(name, values)| (name, values.iter())))
        };
        for (words, rules) in [
            ("", &[][..]),
            ("gen=5", &[]),
            ("mots=rail,bus tenant=sbb gen=5", &[("tenant", &["sbb"][..]), ("type", &["bus", "rail"])]),
            ("type=bus type=rail", &[("type", &["rail"])]),
            ("type=bus type=", &[]),
            ("mots=rail,bus type=bus", &[("type", &["bus"]), ("type", &["rail", "bus"])]),
            ("gen_level=5", &[("gen_level", &["5"])]),
        ] {
            assert_eq!(filters(&known, &format!("BBOX 1 2 3 4 {words}")), written(rules), "{words}");
        }
        let usual = "BBOX 1 2 3 4 9 gen=5 gen_level=30 graph=np mots=rail";
        let Ok(Command::Bbox(Some(bbox))) = usual.parse() else { panic!("{usual}") };
        assert_eq!(
            BboxKeyword::filters(&BboxKeyword::usual(), &bbox.properties),
            written(&[("type", &["rail"])])
        );
    }

    #[test]
    fn what_is_no_keyword_is_named() {
        for (text, message) in [
            (
                "gen",
                "`gen` has no meaning: write KEYWORD=property, such as mots=type, or KEYWORD= to pass it over",
            ),
            ("=type", "``: a word must not be empty"),
            ("a b=type", "`a b`: character ' ' at byte 1 of the word is not allowed"),
        ] {
            assert_eq!(text.parse::<BboxKeyword>().unwrap_err().to_string(), message);
        }
        assert!("crs=type".parse::<BboxKeyword>().is_err());
    }
}
