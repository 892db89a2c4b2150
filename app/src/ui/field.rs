//! Fields of forms: a label that is always there, a hint, and what is wrong with it.

use haat_shared::{Error, FieldCode};
use leptos::prelude::*;

use super::Alert;
use crate::{
    i18n::{tu_string, use_i18n},
    words,
};

/// What is wrong with the form that a field is part of.
type Faults = Signal<Option<Error>>;

fn fault(faults: Faults, name: &'static str) -> Memo<Option<FieldCode>> {
    Memo::new(move |_| faults.with(|f| f.as_ref().and_then(|error| error.at(name))))
}

fn described_by(
    name: &'static str,
    hint: bool,
    fault: Memo<Option<FieldCode>>,
) -> impl Fn() -> Option<String> {
    move || match (hint, fault.get().is_some()) {
        (false, false) => None,
        (true, false) => Some(format!("{name}-hint")),
        (false, true) => Some(format!("{name}-error")),
        (true, true) => Some(format!("{name}-error {name}-hint")),
    }
}

#[component]
fn FieldFault(name: &'static str, fault: Memo<Option<FieldCode>>) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        let code = fault.get()?;
        Some(view! { <p class="field-error" id=format!("{name}-error")>{words::field(i18n, code)}</p> })
    }
}

/// A field for one line of text.
#[component]
pub fn Field(
    /// Its name in the form, and its id.
    name: &'static str,
    /// Its label.
    #[prop(into)]
    label: String,
    /// What it holds at first.
    #[prop(optional, into)]
    value: String,
    /// The kind of input: `text`, `email`, `tel`, `password` …
    #[prop(default = "text")]
    kind: &'static str,
    /// What browsers may fill in.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// Whether it has to be filled in.
    #[prop(optional)]
    required: bool,
    /// A word of help under it.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What is wrong with the form.
    #[prop(optional, into)]
    faults: Faults,
) -> impl IntoView {
    let fault = fault(faults, name);
    let described = described_by(name, hint.is_some(), fault);
    view! {
        <div class="field" class:wrong=move || fault.get().is_some()>
            <label for=name>{label}</label>
            <input
                id=name
                name=name
                type=kind
                value=value
                autocomplete=autocomplete
                aria-required=required.then_some("true")
                aria-invalid=move || fault.get().is_some().then_some("true")
                aria-describedby=described
            />
            <FieldFault name fault />
            {hint.map(|words| view! { <p class="field-hint" id=format!("{name}-hint")>{words}</p> })}
        </div>
    }
}

/// A choice from a list.
#[component]
pub fn Select(
    /// Its name in the form, and its id.
    name: &'static str,
    /// Its label.
    #[prop(into)]
    label: String,
    /// What is chosen at first.
    #[prop(into)]
    value: String,
    /// What can be chosen: value and words.
    options: Vec<(&'static str, &'static str)>,
    /// What browsers may fill in.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// What is wrong with the form.
    #[prop(optional, into)]
    faults: Faults,
) -> impl IntoView {
    let fault = fault(faults, name);
    let described = described_by(name, false, fault);
    let options = options
        .into_iter()
        .map(|(code, words)| view! { <option value=code selected=code == value>{words}</option> })
        .collect_view();
    view! {
        <div class="field" class:wrong=move || fault.get().is_some()>
            <label for=name>{label}</label>
            <select
                id=name
                name=name
                autocomplete=autocomplete
                aria-invalid=move || fault.get().is_some().then_some("true")
                aria-describedby=described
            >
                {options}
            </select>
            <FieldFault name fault />
        </div>
    }
}

/// A choice among a few, all of them in sight.
#[component]
pub fn Choice(
    /// Its name in the form.
    name: &'static str,
    /// What is chosen.
    #[prop(into)]
    label: String,
    /// What is chosen at first; may be empty.
    #[prop(into)]
    value: String,
    /// What can be chosen: value, words, and a note.
    options: Vec<(String, String, String)>,
    /// What is wrong with the form.
    #[prop(optional, into)]
    faults: Faults,
) -> impl IntoView {
    let fault = fault(faults, name);
    let described = described_by(name, false, fault);
    let options = options.into_iter().enumerate().map(|(i, (code, words, note))| {
        // The summary of errors leads to the first one by the name of the field.
        let id = if i == 0 { name.to_owned() } else { format!("{name}-{code}") };
        let note_id = format!("{name}-{code}-note");
        view! {
            <div class="choice">
                <input
                    type="radio"
                    id=id.clone()
                    name=name
                    checked=code == value
                    value=code
                    aria-describedby=note_id.clone()
                />
                <div>
                    <label for=id>{words}</label>
                    <p class="note" id=note_id>{note}</p>
                </div>
            </div>
        }
    });
    view! {
        <fieldset class="field choices" class:wrong=move || fault.get().is_some() aria-describedby=described>
            <legend>{label}</legend>
            {options.collect_view()}
            <FieldFault name fault />
        </fieldset>
    }
}

/// All that is wrong with a form, at its top, with a link to each field.
#[component]
pub fn ErrorSummary(
    /// What is wrong with the form.
    #[prop(into)]
    faults: Faults,
    /// The labels of its fields by name, in their order.
    labels: Vec<(&'static str, String)>,
) -> impl IntoView {
    let i18n = use_i18n();
    let labels = StoredValue::new(labels);
    move || {
        let error = faults.get()?;
        let at_fields: Vec<_> = labels.with_value(|labels| {
            labels.iter().filter_map(|(name, label)| Some((*name, label.clone(), error.at(name)?))).collect()
        });
        if at_fields.is_empty() {
            return Some(view! { <Alert>{words::error(i18n, &error)}</Alert> }.into_any());
        }
        let heading = match at_fields.len() {
            1 => tu_string!(i18n, failure.check_fields_one).to_owned(),
            n => tu_string!(i18n, failure.check_fields_many, n = n).to_string(),
        };
        let items = at_fields.into_iter().map(|(name, label, code)| {
            let href = format!("#{name}");
            view! {
                <li>
                    <a href=href rel="external">{label}</a>
                    " — "
                    {words::field(i18n, code)}
                </li>
            }
        });
        let items = items.collect_view();
        Some(
            view! {
                <Alert>
                    <p class="alert-title">{heading}</p>
                    <ul>{items}</ul>
                </Alert>
            }
            .into_any(),
        )
    }
}
