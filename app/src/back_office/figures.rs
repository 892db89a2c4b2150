//! The figures of a period on the home page of a back office.

use haat_shared::sales::Change;
use leptos::prelude::*;

use crate::{
    i18n::t,
    words::{self, I18n},
};

/// A figure of a period, with its change and its course.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) change: Change,
    /// What is said if there was nothing in the period before.
    pub(crate) none_before: &'static str,
    /// Its value on each day.
    pub(crate) course: Vec<i64>,
}

/// Panels beside each other, one for each figure.
pub(crate) fn figure_panels(i18n: I18n, figures: Vec<Figure>) -> AnyView {
    let figures = figures.into_iter().map(|Figure { name, value, change, none_before, course }| {
        let (mark, look, words) = match change {
            Change::NothingBefore => ("", "note", none_before.to_owned()),
            Change::Same => ("= ", "note", t!(i18n, dashboard.same).to_owned()),
            Change::Up(n) => ("↑ ", "good", t!(i18n, dashboard.up, n = words::number(i18n, n))),
            Change::Down(n) => ("↓ ", "bad", t!(i18n, dashboard.down, n = words::number(i18n, n))),
        };
        view! {
            <div class="panel">
                <dt>{name}</dt>
                <dd>
                    <p class="figure">{value}</p>
                    <p class=format!("change {look}")><span aria-hidden="true">{mark}</span>{words}</p>
                    {spark(&course)}
                </dd>
            </div>
        }
    });
    view! { <dl class="figures four">{figures.collect_view()}</dl> }.into_any()
}

/// A value's height in a drawing that begins at zero.
pub(crate) fn height(value: i64, most: i64, of: i64) -> i64 {
    i64::try_from(i128::from(value) * i128::from(of) / i128::from(most.max(1))).unwrap_or(of)
}

/// A small line without axes. The figure beside it has the words.
fn spark(course: &[i64]) -> impl IntoView + use<> {
    const HEIGHT: i64 = 28;
    let most = course.iter().copied().max().unwrap_or(0);
    let points = (0i64..).zip(course);
    let points = points.map(|(x, value)| format!("{x},{}", HEIGHT - 2 - height(*value, most, HEIGHT - 4)));
    let points = points.collect::<Vec<_>>().join(" ");
    let width = course.len().saturating_sub(1).max(1);
    view! {
        <svg class="spark" viewBox=format!("0 0 {width} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
            <polyline points=points></polyline>
        </svg>
    }
}
