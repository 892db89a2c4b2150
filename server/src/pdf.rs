//! PDF: paragraphs and tables on A4 pages, for invoices and statements.
//!
//! Lengths are thousandths of a point and integers; a transformation scales them when a page is drawn. Text is shaped, so that
//! scripts such as Devanagari are written as they should be. The fonts come with the program; what they lack is taken from the
//! system's fonts and otherwise shown as �.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use haat_shared::{Error, Result};
use krilla::{
    Document,
    geom::{PathBuilder, Point, Rect, Transform},
    metadata::Metadata,
    page::PageSettings,
    paint::Fill,
    text::{Font, TextDirection},
};
use rustybuzz::{UnicodeBuffer, ttf_parser};

/// A point.
const PT: i64 = 1000;
const WIDTH: i64 = 595_276;
const HEIGHT: i64 = 841_890;
const MARGIN: i64 = 48 * PT;
/// Where the page ends for the text. The page's number is below.
const BOTTOM: i64 = HEIGHT - 64 * PT;
/// Between the columns of a table.
const GAP: i64 = 10 * PT;
const RULE: i64 = PT / 2;

/// The sizes of text.
pub(crate) const SMALL: i64 = 8 * PT;
pub(crate) const NORMAL: i64 = 9_500;
const LARGE: i64 = 17 * PT;

/// A font in memory.
struct Face {
    data: &'static [u8],
    index: u32,
    shaper: rustybuzz::Face<'static>,
}

impl Face {
    fn read(data: &'static [u8], index: u32) -> Option<Self> {
        Some(Self { data, index, shaper: rustybuzz::Face::from_slice(data, index)? })
    }

    fn covers(&self, c: char) -> bool {
        self.shaper.glyph_index(c).is_some()
    }

    /// How wide a text of one script is.
    fn width(&self, text: &str, size: i64) -> i64 {
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        let shaped = rustybuzz::shape(&self.shaper, &[], buffer);
        let width: i64 = shaped.glyph_positions().iter().map(|glyph| i64::from(glyph.x_advance)).sum();
        width * size / i64::from(self.shaper.units_per_em()).max(1)
    }
}

macro_rules! font {
    ($name:literal) => {
        Face::read(include_bytes!(concat!("../assets/fonts/", $name, ".ttf")), 0)
    };
}

/// The program's fonts, in the order in which they are tried.
fn own(bold: bool) -> &'static [Face] {
    static REGULAR: LazyLock<Vec<Face>> = LazyLock::new(|| {
        [font!("NotoSans-Regular"), font!("NotoSansDevanagari-Regular")].into_iter().flatten().collect()
    });
    static BOLD: LazyLock<Vec<Face>> = LazyLock::new(|| {
        [font!("NotoSans-Bold"), font!("NotoSansDevanagari-Bold")].into_iter().flatten().collect()
    });
    if bold { &BOLD } else { &REGULAR }
}

/// The system's fonts, with the characters that they have.
struct System {
    fonts: fontdb::Database,
    have: Vec<(fontdb::ID, Vec<(u32, u32)>)>,
    loaded: Mutex<HashMap<fontdb::ID, Option<&'static Face>>>,
}

/// Read once, when a character is needed that the program's fonts lack.
static SYSTEM: LazyLock<System> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_system_fonts();
    let upright = fonts
        .faces()
        .filter(|face| face.style == fontdb::Style::Normal && face.weight == fontdb::Weight::NORMAL)
        .map(|face| (face.monospaced, face.id));
    let mut upright: Vec<_> = upright.collect();
    upright.sort_by_key(|(monospaced, _)| *monospaced);
    let have = upright.into_iter().filter_map(|(_, id)| {
        let have = fonts.with_face_data(id, ranges)?;
        (!have.is_empty()).then_some((id, have))
    });
    let have = have.collect();
    System { fonts, have, loaded: Mutex::default() }
});

/// The characters that a font with outlines has.
fn ranges(data: &[u8], index: u32) -> Vec<(u32, u32)> {
    let Ok(face) = ttf_parser::Face::parse(data, index) else { return Vec::new() };
    let tables = face.tables();
    let Some(cmap) = tables.cmap.filter(|_| tables.glyf.is_some() || tables.cff.is_some()) else {
        return Vec::new();
    };
    let mut points = Vec::new();
    for table in cmap.subtables.into_iter().filter(|table| table.is_unicode()) {
        table.codepoints(|point| points.push(point));
    }
    points.sort_unstable();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for point in points {
        match ranges.last_mut() {
            Some((_, last)) if point <= *last + 1 => *last = point,
            _ => ranges.push((point, point)),
        }
    }
    ranges
}

/// A font of the system that has a character.
fn of_system(c: char) -> Option<&'static Face> {
    let has = |ranges: &[(u32, u32)]| {
        let at = ranges.partition_point(|(_, last)| *last < u32::from(c));
        ranges.get(at).is_some_and(|(first, _)| *first <= u32::from(c))
    };
    let (id, _) = SYSTEM.have.iter().find(|(_, ranges)| has(ranges))?;
    let mut loaded = SYSTEM.loaded.lock().unwrap_or_else(PoisonError::into_inner);
    // Each of them is read at most once, and kept.
    *loaded.entry(*id).or_insert_with(|| {
        let read = SYSTEM.fonts.with_face_data(*id, |data, index| (data.to_vec(), index))?;
        Face::read(Box::leak(read.0.into_boxed_slice()), read.1).map(|face| &*Box::leak(Box::new(face)))
    })
}

/// Characters without a shape of their own, such as the joiners of scripts.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}')
}

/// A text in pieces of one font each. Spaces and punctuation stay with what is before them.
fn runs(text: &str, bold: bool) -> Vec<(&'static Face, String)> {
    let own = own(bold);
    let mut runs: Vec<(&'static Face, String)> = Vec::new();
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        let stays = |face: &Face| is_invisible(c) || (!c.is_alphanumeric() && face.covers(c));
        if let Some((_, run)) = runs.last_mut().filter(|(face, _)| stays(face)) {
            run.push(c);
            continue;
        }
        let face = own.iter().find(|face| face.covers(c)).or_else(|| of_system(c));
        let (face, c) = match (face, own.first()) {
            (Some(face), _) => (face, c),
            (None, Some(_)) if is_invisible(c) => continue,
            (None, Some(first)) => (first, char::REPLACEMENT_CHARACTER),
            (None, None) => continue,
        };
        match runs.last_mut().filter(|(last, _)| std::ptr::eq(*last, face)) {
            Some((_, run)) => run.push(c),
            None => runs.push((face, c.to_string())),
        }
    }
    runs
}

fn width(text: &str, size: i64, bold: bool) -> i64 {
    runs(text, bold).iter().map(|(face, run)| face.width(run, size)).sum()
}

/// A text in lines that are at most so wide. A word that is wider is divided.
fn wrapped(text: &str, size: i64, bold: bool, most: i64) -> Vec<String> {
    let fits = |line: &str| width(line, size, bold) <= most;
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}")).filter(|line| fits(line));
        match (lines.last_mut(), longer) {
            (Some(line), Some(longer)) => *line = longer,
            _ if fits(word) => lines.push(word.to_owned()),
            _ => {
                lines.push(String::new());
                for c in word.chars() {
                    let Some(line) = lines.last_mut() else { continue };
                    line.push(c);
                    if !fits(line) && line.chars().count() > 1 {
                        line.pop();
                        lines.push(c.to_string());
                    }
                }
            }
        }
    }
    lines
}

/// What is on a page.
enum Mark {
    Text { x: i64, y: i64, size: i64, bold: bool, text: String },
    Rule { x: i64, y: i64, width: i64, height: i64 },
}

/// A column of a table.
pub(crate) struct Column {
    /// Its heading.
    pub(crate) title: String,
    /// Whether it has numbers, which end at the same place and are not broken.
    pub(crate) number: bool,
}

/// A row of a table.
#[derive(Default)]
pub(crate) struct Row {
    /// A text for each column.
    pub(crate) cells: Vec<String>,
    /// What is said below the first one. May be empty.
    pub(crate) note: String,
    /// Whether it is a total.
    pub(crate) total: bool,
}

/// A document while it is written, from top to bottom.
pub(crate) struct Sheet {
    title: String,
    language: &'static str,
    pages: Vec<Vec<Mark>>,
    y: i64,
}

impl Sheet {
    /// An empty document.
    pub(crate) fn new(title: &str, language: &'static str) -> Self {
        Self { title: title.to_owned(), language, pages: vec![Vec::new()], y: MARGIN }
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// Begins another page unless there is room for so much.
    fn room(&mut self, height: i64) -> bool {
        if self.y + height <= BOTTOM || self.y == MARGIN {
            return false;
        }
        self.pages.push(Vec::new());
        self.y = MARGIN;
        true
    }

    /// Leaves space.
    pub(crate) fn gap(&mut self, points: i64) {
        self.y += points * PT;
    }

    fn rule(&mut self, thickness: i64) {
        self.mark(Mark::Rule { x: MARGIN, y: self.y, width: WIDTH - 2 * MARGIN, height: thickness });
        self.y += thickness;
    }

    /// The heading, with a text at the other side, and a rule below the lines that follow it.
    pub(crate) fn head(&mut self, aside: &str, below: &[String]) {
        let title = self.title.clone();
        let top = self.y;
        let room = WIDTH - 2 * MARGIN - width(aside, NORMAL, false) - GAP;
        for line in wrapped(&title, LARGE, true, room) {
            self.y += leading(LARGE);
            self.mark(Mark::Text { x: MARGIN, y: self.y, size: LARGE, bold: true, text: line });
        }
        let x = WIDTH - MARGIN - width(aside, NORMAL, false);
        let y = top + leading(LARGE);
        self.mark(Mark::Text { x, y, size: NORMAL, bold: false, text: aside.to_owned() });
        self.gap(4);
        for line in below {
            self.paragraph(line, NORMAL, false);
        }
        self.gap(8);
        self.rule(2 * RULE);
        self.gap(12);
    }

    /// A paragraph.
    pub(crate) fn paragraph(&mut self, text: &str, size: i64, bold: bool) {
        for text in wrapped(text, size, bold, WIDTH - 2 * MARGIN) {
            self.room(leading(size));
            self.y += leading(size);
            self.mark(Mark::Text { x: MARGIN, y: self.y, size, bold, text });
        }
    }

    /// Blocks side by side, each with a heading.
    pub(crate) fn sides(&mut self, blocks: &[(String, Vec<String>)]) {
        let each = (WIDTH - 2 * MARGIN) / blocks.len().max(1) as i64;
        let (top, mut bottom) = (self.y, self.y);
        for (i, (heading, lines)) in (0i64..).zip(blocks) {
            let x = MARGIN + i * each;
            self.y = top;
            let texts =
                std::iter::once((heading, SMALL, true)).chain(lines.iter().map(|line| (line, NORMAL, false)));
            for (text, size, bold) in texts {
                for text in wrapped(text, size, bold, each - GAP) {
                    self.y += leading(size);
                    self.mark(Mark::Text { x, y: self.y, size, bold, text });
                }
            }
            bottom = bottom.max(self.y);
        }
        self.y = bottom;
        self.gap(18);
    }

    /// A table. Its headings are repeated on each page.
    pub(crate) fn table(&mut self, columns: &[Column], rows: &[Row]) {
        let widths = widths(columns, rows, WIDTH - 2 * MARGIN);
        let titles = Row { cells: columns.iter().map(|c| c.title.clone()).collect(), ..Row::default() };
        self.row(columns, &widths, &titles, true);
        for row in rows {
            let height = lines_of(&widths, row).iter().map(Vec::len).max().unwrap_or(1) as i64;
            if self.room((height + 1) * leading(NORMAL) + GAP) {
                self.row(columns, &widths, &titles, true);
            }
            self.row(columns, &widths, row, false);
        }
        self.gap(18);
    }

    fn row(&mut self, columns: &[Column], widths: &[i64], row: &Row, titles: bool) {
        let (size, bold) = if titles { (SMALL, true) } else { (NORMAL, row.total) };
        if row.total {
            self.rule(2 * RULE);
        }
        self.gap(3);
        let (top, mut bottom, mut left) = (self.y, self.y, MARGIN);
        let cells = columns.iter().zip(widths).zip(&row.cells);
        for (i, ((column, &room), cell)) in cells.enumerate() {
            self.y = top;
            let lines = wrapped(cell, size, bold, room).into_iter().map(|line| (line, size, bold));
            let note = if i == 0 { wrapped(&row.note, SMALL, false, room) } else { Vec::new() };
            let note = note.into_iter().map(|line| (line, SMALL, false));
            for (text, size, bold) in lines.chain(note) {
                self.y += leading(size);
                let x = if column.number { left + room - width(&text, size, bold) } else { left };
                self.mark(Mark::Text { x, y: self.y, size, bold, text });
            }
            bottom = bottom.max(self.y);
            left += room + GAP;
        }
        self.y = bottom;
        self.gap(5);
        if !row.total {
            self.rule(RULE / 2);
        }
    }

    /// The file. `number` says which page of how many it is.
    pub(crate) fn finish(self, number: impl Fn(usize, usize) -> String) -> Result<Vec<u8>> {
        let (mut document, mut fonts, count) = (Document::new(), Vec::new(), self.pages.len());
        let about = Metadata::new().title(self.title).language(self.language.to_owned());
        document.set_metadata(about);
        for (i, marks) in self.pages.into_iter().enumerate() {
            let size = PageSettings::from_wh(595.276, 841.89).ok_or(Error::Internal)?;
            let mut page = document.start_page_with(size);
            let mut surface = page.surface();
            surface.set_fill(Some(Fill::default()));
            surface.push_transform(&Transform::from_scale(0.001, 0.001));
            let footer = number(i + 1, count);
            let x = WIDTH - MARGIN - width(&footer, SMALL, false);
            let footer = Mark::Text { x, y: HEIGHT - 36 * PT, size: SMALL, bold: false, text: footer };
            for mark in marks.into_iter().chain([footer]) {
                match mark {
                    Mark::Text { mut x, y, size, bold, text } => {
                        for (face, run) in runs(&text, bold) {
                            let font = font_of(&mut fonts, face).ok_or(Error::Internal)?;
                            let at = Point::from_xy(x as f32, y as f32);
                            surface.draw_text(at, font, size as f32, &run, false, TextDirection::Auto);
                            x += face.width(&run, size);
                        }
                    }
                    Mark::Rule { x, y, width, height } => {
                        let rect = Rect::from_xywh(x as f32, y as f32, width as f32, height as f32);
                        let mut path = PathBuilder::new();
                        path.push_rect(rect.ok_or(Error::Internal)?);
                        surface.draw_path(&path.finish().ok_or(Error::Internal)?);
                    }
                }
            }
            surface.pop();
            surface.finish();
            page.finish();
        }
        document.finish().map_err(|error| {
            tracing::error!(error = ?error, "a PDF could not be written");
            Error::Internal
        })
    }
}

/// A font of the document.
fn font_of(fonts: &mut Vec<(&'static Face, Font)>, face: &'static Face) -> Option<Font> {
    if let Some((_, font)) = fonts.iter().find(|(known, _)| std::ptr::eq(*known, face)) {
        return Some(font.clone());
    }
    let font = Font::new(face.data.into(), face.index)?;
    fonts.push((face, font.clone()));
    Some(font)
}

/// The distance of two lines.
fn leading(size: i64) -> i64 {
    size * 14 / 10
}

fn lines_of(widths: &[i64], row: &Row) -> Vec<Vec<String>> {
    let cells = row.cells.iter().zip(widths).enumerate();
    let lines = cells.map(|(i, (cell, room))| {
        let note = if i == 0 { wrapped(&row.note, SMALL, false, *room) } else { Vec::new() };
        wrapped(cell, NORMAL, row.total, *room).into_iter().chain(note).collect()
    });
    lines.collect()
}

/// Numbers get the room that they need; the others share what is left.
fn widths(columns: &[Column], rows: &[Row], whole: i64) -> Vec<i64> {
    let needs = columns.iter().enumerate().map(|(i, column)| {
        let cells = rows.iter().filter_map(|row| Some(width(row.cells.get(i)?, NORMAL, row.total)));
        cells.chain([width(&column.title, SMALL, true)]).max().unwrap_or_default()
    });
    // What is measured is not broken.
    let needs: Vec<i64> = needs.map(|need| need + PT / 10).collect();
    let numbers: i64 =
        needs.iter().zip(columns).filter(|(_, column)| column.number).map(|(need, _)| need).sum();
    let others = columns.iter().filter(|column| !column.number).count() as i64;
    let left = (whole - numbers - GAP * (columns.len() as i64 - 1)) / others.max(1);
    let each = columns.iter().zip(needs);
    each.map(|(column, need)| if column.number { need } else { left.max(60 * PT) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_measured_and_wrapped() {
        let (short, long) = (width("Total", NORMAL, false), width("Total, included", NORMAL, false));
        assert!(0 < short && short < long && long < 100 * PT);
        assert_eq!(
            wrapped("One two  three", NORMAL, false, width("One two", NORMAL, false)),
            ["One two", "three"]
        );
        assert!(wrapped(&"x".repeat(400), NORMAL, false, 50 * PT).len() > 10);
        assert!(wrapped(" ", NORMAL, false, PT).is_empty());
    }

    #[test]
    fn scripts_have_their_fonts() {
        let runs = |text: &str| runs(text, true).into_iter().map(|(_, run)| run).collect::<Vec<_>>();
        assert_eq!(runs("Größe, Ελλάς, Москва: ₹1,249.00 €9 ₽5"), ["Größe, Ελλάς, Москва: ₹1,249.00 €9 ₽5"]);
        assert_eq!(runs("कुल (Total)"), ["कुल (", "Total)"]);
        assert_eq!(runs("a\u{2068}b\tc"), ["a\u{2068}b c"]);
        // No font has a character of the private use area; it is shown as missing.
        assert_eq!(runs("a\u{10fffd}"), ["a\u{fffd}"]);
    }

    /// As many pages as it takes, each with the headings.
    #[test]
    fn tables_go_on_on_the_next_page() {
        let columns =
            ["What", "Amount"].map(|title| Column { title: title.into(), number: title == "Amount" });
        let rows =
            (0..200).map(|i| Row { cells: vec![format!("Row {i}"), "₹1.00".into()], ..Row::default() });
        let mut sheet = Sheet::new("Statement", "en");
        sheet.table(&columns, &rows.collect::<Vec<_>>());
        let pages = sheet.pages.len();
        assert!((3..9).contains(&pages));
        let titles = sheet.pages.iter().flatten();
        let titles = titles.filter(|mark| matches!(mark, Mark::Text { text, .. } if text == "What"));
        assert_eq!(titles.count(), pages);
        assert!(sheet.finish(|i, n| format!("{i} of {n}")).unwrap().starts_with(b"%PDF-"));
    }
}
