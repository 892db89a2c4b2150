//! Tables that are opened in spreadsheets.

use haat_shared::{Error, Result};

/// A part of an export, and where the next part begins; `None` at the end.
pub struct Exported<Next> {
    /// The text.
    pub text: Vec<u8>,
    /// What to ask for the next part with.
    pub next: Option<Next>,
}

const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Lines of a CSV table (RFC 4180) as text.
pub(crate) fn table(write: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> csv::Result<()>) -> Result<Vec<u8>> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    write(&mut table).map_err(|_| Error::Internal)?;
    table.into_inner().map_err(|_| Error::Internal)
}

/// Whether a spreadsheet might take the text for a formula (OWASP: CSV injection).
pub(crate) fn is_formula(text: &str) -> bool {
    text.starts_with(FORMULA) || text.trim_start().starts_with(FORMULA)
}

/// Whether a leading apostrophe would be taken for the escape character.
fn is_escaped(text: &str) -> bool {
    text.strip_prefix('\'').is_some_and(|rest| rest.starts_with('\'') || is_formula(rest))
}

/// The text, escaped so that a spreadsheet does not run it.
pub(crate) fn escaped(text: &str) -> String {
    if is_formula(text) || is_escaped(text) { format!("'{text}") } else { text.to_owned() }
}

/// The text of a cell without the escape character.
pub(crate) fn unescaped(text: &str) -> &str {
    if is_escaped(text) { &text[1..] } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_known_by_how_they_begin() {
        for bad in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\rx", " =1", "\u{a0}=1"] {
            assert!(is_formula(bad), "{bad:?}");
        }
        for good in ["", "a=b", "'=1", "5-a-side ball", "'", "''"] {
            assert!(!is_formula(good), "{good:?}");
        }
        assert_eq!(
            (escaped("=1").as_str(), escaped("'=1").as_str(), escaped("'tis").as_str()),
            ("'=1", "''=1", "'tis")
        );
    }
}
