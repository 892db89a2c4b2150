//! Words that mean the same in a search, as an admin writes them, and what people search for.

use serde::{Deserialize, Serialize};

use crate::field::{FieldCode, FieldError};

/// The maximum number of characters of all synonyms.
pub const SYNONYMS_MAX: usize = 20_000;
/// The maximum number of words or phrases of a line.
pub const SAME_MAX: usize = 20;

/// Reads synonyms: a line for each group, its words or phrases separated by commas. Empty lines separate nothing.
pub fn read(text: &str) -> Result<Vec<Vec<&str>>, FieldError> {
    let field = "synonyms";
    if text.chars().count() > SYNONYMS_MAX {
        return Err(FieldError::new(field, FieldCode::TooLong(SYNONYMS_MAX)));
    }
    let mut groups = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let group: Vec<&str> =
            line.split([',', '،']).map(str::trim).filter(|word| !word.is_empty()).collect();
        if group.is_empty() {
            continue;
        }
        let said = group.iter().all(|word| word.chars().any(char::is_alphanumeric));
        if !said || !(2..=SAME_MAX).contains(&group.len()) {
            let line = u32::try_from(at + 1).unwrap_or(u32::MAX);
            return Err(FieldError::new(field, FieldCode::SynonymLine(line)));
        }
        groups.push(group);
    }
    Ok(groups)
}

/// What is shown to admins about the search.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchReport {
    /// The number of days that it counts.
    pub days: i64,
    /// The number of searches.
    pub searches: i64,
    /// The number of those that found nothing.
    pub misses: i64,
    /// The most frequent searches.
    pub frequent: Vec<SearchedTerm>,
    /// The most frequent searches that found nothing.
    pub missed: Vec<SearchedTerm>,
    /// The synonyms, as they were written.
    pub synonyms: String,
}

/// How often something is searched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchedTerm {
    /// The words, in small letters.
    pub term: String,
    /// The number of searches.
    pub searches: i64,
    /// The number of those that found nothing.
    pub misses: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synonyms_are_read_by_line() {
        let read = |text: &str| {
            read(text)
                .map_err(|fault| fault.code)
                .map(|groups| groups.iter().map(|group| group.join("|")).collect::<Vec<_>>().join(" / "))
        };
        for (text, expected) in [
            ("", Ok("")),
            ("sofa, couch,settee", Ok("sofa|couch|settee")),
            ("\n sofa ,, couch,\r\n\n mobile phone، smartphone", Ok("sofa|couch / mobile phone|smartphone")),
            ("sofa", Err(FieldCode::SynonymLine(1))),
            ("sofa, couch\n\nphone,", Err(FieldCode::SynonymLine(3))),
            ("sofa, --", Err(FieldCode::SynonymLine(1))),
        ] {
            assert_eq!(read(text), expected.map(str::to_owned), "{text:?}");
        }
        assert_eq!(read(&"a,".repeat(SAME_MAX + 1)), Err(FieldCode::SynonymLine(1)));
        assert_eq!(read(&"a, b\n".repeat(SYNONYMS_MAX)), Err(FieldCode::TooLong(SYNONYMS_MAX)));
    }
}
