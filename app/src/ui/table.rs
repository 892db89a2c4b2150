//! Tables, and charts with their data as a table.

use leptos::prelude::*;

use crate::{
    i18n::{t, use_i18n},
    ui::Icon,
};

/// The columns of a table, from their labels and looks, or with more.
pub struct Columns(Vec<Column>);

impl<T: Into<Column>> From<Vec<T>> for Columns {
    fn from(columns: Vec<T>) -> Self {
        Self(columns.into_iter().map(Into::into).collect())
    }
}

impl Columns {
    /// These columns behind another one.
    pub fn behind(mut self, first: impl Into<Column>) -> Self {
        self.0.insert(0, first.into());
        self
    }
}

/// A column. Its look is `number` for numbers, `tick` for checkboxes, `wide` for columns that phones omit, `spare` for those that they omit
/// if the text is large.
pub struct Column {
    words: &'static str,
    look: &'static str,
    /// The URL of the list sorted by this column, or the other way round.
    sorts: Option<String>,
    /// How the list is sorted by this column.
    sorted: Option<Direction>,
}

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Up,
    Down,
}

impl From<(&'static str, &'static str)> for Column {
    fn from((words, look): (&'static str, &'static str)) -> Self {
        Self { words, look, sorts: None, sorted: None }
    }
}

impl Column {
    /// A column by which the list can be sorted, one way, the other way, and not any more: `by` is the name of its sort order (with `-` in front if it
    /// begins in descending order), `sort` the list's, and `at` the URL of the list with another.
    pub fn sorted(self, by: &str, sort: &str, at: impl Fn(String) -> String) -> Self {
        let name = by.trim_start_matches('-');
        let sorted = match sort.strip_prefix('-') {
            None if sort == name => Some(Direction::Up),
            Some(down) if down == name => Some(Direction::Down),
            _ => None,
        };
        // In its first direction, the other way round, and then as the list is sorted by itself.
        let next = match (sorted, by == name) {
            (None, _) => by.to_owned(),
            (Some(Direction::Up), true) => format!("-{name}"),
            (Some(Direction::Down), false) => name.to_owned(),
            _ => String::new(),
        };
        Self { sorts: Some(at(next)), sorted, ..self }
    }
}

/// A table. If its rows have links of the class `row-link`, the back office moves between them by keyboard.
#[component]
pub fn Table(
    /// The caption for screen readers.
    #[prop(into)]
    caption: String,
    /// The columns.
    #[prop(into)]
    columns: Columns,
    /// The rows.
    children: Children,
) -> impl IntoView {
    let heads = columns.0.into_iter().map(|Column { words, look, sorts, sorted }| {
        let Some(href) = sorts else {
            // The heading of a checkbox column is visually hidden, since each checkbox has a label.
            let words = view! { <span class:hidden=look == "tick">{words}</span> };
            return view! { <th scope="col" class=look>{words}</th> }.into_any();
        };
        let how = sorted.map(|direction| match direction {
            Direction::Up => "ascending",
            Direction::Down => "descending",
        });
        view! {
            <th scope="col" class=look aria-sort=how>
                <a class="table-sort" href=href>{words} {how.map(|_| view! { <Icon name="down" /> })}</a>
            </th>
        }
        .into_any()
    });
    view! {
        <div class="table-room">
            <table class="table">
                <caption class="hidden">{caption}</caption>
                <thead>
                    <tr>{heads.collect_view()}</tr>
                </thead>
                <tbody>{children()}</tbody>
            </table>
        </div>
    }
}

/// A bar chart that begins at zero, with its data as a table: for each bar its name, its height, and its
/// row of the table.
#[component]
pub fn Bars(
    /// The description, in a sentence.
    #[prop(into)]
    says: String,
    /// The columns of the table.
    columns: Vec<(&'static str, &'static str)>,
    /// The bars.
    bars: Vec<(String, i64, Vec<String>)>,
    /// The label of the highest bar.
    #[prop(into)]
    top: String,
) -> impl IntoView {
    const HEIGHT: i64 = 160;
    const STEP: i64 = 20;
    let i18n = use_i18n();
    let most = bars.iter().map(|(_, high, _)| *high).max().unwrap_or(0).max(1);
    let width = i64::try_from(bars.len()).unwrap_or(1).max(1) * STEP;
    let (first, last) = (bars.first().map(|b| b.0.clone()), bars.last().map(|b| b.0.clone()));
    let drawn = (0i64..).zip(&bars).map(|(i, (name, high, facts))| {
        // A small value must still be distinguishable from zero.
        let high = if *high > 0 { (i128::from(*high) * i128::from(HEIGHT) / i128::from(most)).max(2) } else { 0 };
        let high = i64::try_from(high).unwrap_or(HEIGHT);
        let label = format!("{name}: {}", facts.join(", "));
        view! {
            <g>
                <title>{label}</title>
                <rect class="bar-back" x=(i * STEP).to_string() y="0" width=STEP.to_string() height=HEIGHT.to_string()></rect>
                <rect
                    class="bar"
                    x=(i * STEP + 2).to_string()
                    y=(HEIGHT - high).to_string()
                    width=(STEP - 4).to_string()
                    height=high.to_string()
                    rx="2"
                ></rect>
            </g>
        }
    });
    let drawn = drawn.collect_view();
    let rows = bars.into_iter().rev().map(|(name, _, facts)| {
        let facts = facts.into_iter().map(|fact| view! { <td class="number">{fact}</td> }).collect_view();
        view! { <tr><th scope="row">{name}</th>{facts}</tr> }
    });
    let rows = rows.collect_view();
    view! {
        <figure class="chart">
            <p class="chart-top note" aria-hidden="true">{top}</p>
            <svg viewBox=format!("0 0 {width} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=says.clone()>{drawn}</svg>
            <p class="chart-ends note" aria-hidden="true"><span>{first}</span><span>{last}</span></p>
            <details class="more-of">
                <summary>{t!(i18n, form.as_table)}</summary>
                <Table caption=says columns>{rows}</Table>
            </details>
        </figure>
    }
}
