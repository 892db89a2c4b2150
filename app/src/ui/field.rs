//! Form fields: a label that is always visible, a hint, and the error.

use haat_shared::{Currency, Error, FieldCode, amounts};
use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys};

use super::Alert;
use crate::{
    i18n::{Locale, t, tn, use_i18n},
    words,
};

/// The errors of the form that a field belongs to.
type FieldErrors = Signal<Option<Error>>;

/// The input of the form that listens to an event, field by field.
pub(crate) fn typed(event: &web_sys::Event) -> Option<impl Fn(&str) -> String + use<>> {
    let form = event.current_target()?.dyn_into::<web_sys::HtmlFormElement>().ok()?;
    let data = web_sys::FormData::new_with_form(&form).ok()?;
    Some(move |name: &str| data.get(name).as_string().unwrap_or_default())
}

/// What is wrong with a field.
pub(crate) fn fault(faults: FieldErrors, name: &str) -> Memo<Option<FieldCode>> {
    let name = name.to_owned();
    Memo::new(move |_| faults.with(|f| f.as_ref().and_then(|error| error.at(&name))))
}

/// The IDs of a field's error and hint, for `aria-describedby`.
pub(crate) fn described_by(
    name: &str,
    hint: bool,
    fault: Memo<Option<FieldCode>>,
) -> impl Fn() -> Option<String> + Clone + use<> {
    let name = name.to_owned();
    move || match (hint, fault.get().is_some()) {
        (false, false) => None,
        (true, false) => Some(format!("{name}-hint")),
        (false, true) => Some(format!("{name}-error")),
        (true, true) => Some(format!("{name}-error {name}-hint")),
    }
}

/// The label of a field, as shown at the field. Messages about the field use the label without additions.
pub(super) fn labelled(i18n: Locale, label: &str, optional: bool) -> String {
    if optional { t!(i18n, form.optional, label = label) } else { label.to_owned() }
}

/// What is wrong with a field, in words.
#[component]
pub(crate) fn FieldFault(name: String, fault: Memo<Option<FieldCode>>) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        let code = fault.get()?;
        Some(
            view! { <p class="field-error" id=format!("{name}-error")>{words::fault(i18n, &name, code)}</p> },
        )
    }
}

/// A single-line text field.
#[component]
pub fn Field(
    /// The name in the form.
    #[prop(into)]
    name: String,
    /// The ID, if a page has several fields with this name.
    #[prop(optional, into)]
    id: Option<String>,
    /// The label.
    #[prop(into)]
    label: TextProp,
    /// The initial value.
    #[prop(optional, into)]
    value: String,
    /// The input type: `text`, `email`, `tel`, `password` …
    #[prop(default = "text")]
    kind: &'static str,
    /// The `autocomplete` value.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// Whether it is required.
    #[prop(optional)]
    required: bool,
    /// Whether the label says that it is optional.
    #[prop(optional, into)]
    optional: Signal<bool>,
    /// Whether it can't be changed now. It is still submitted.
    #[prop(optional)]
    readonly: bool,
    /// The `inputmode` for phones: `decimal`, `numeric`.
    #[prop(optional)]
    keys: Option<&'static str>,
    /// A hint below the field.
    #[prop(optional, into)]
    hint: Option<String>,
    /// The errors of the form.
    #[prop(optional, into)]
    faults: FieldErrors,
) -> impl IntoView {
    let i18n = use_i18n();
    let fault = fault(faults, &name);
    let id = id.unwrap_or_else(|| name.clone());
    let hint = hint.filter(|words| !words.is_empty());
    let described = described_by(&id, hint.is_some(), fault);
    let hint = hint.map(|words| view! { <p class="field-hint" id=format!("{id}-hint")>{words}</p> });
    view! {
        <div class="field" class:wrong=move || fault.get().is_some()>
            <label for=id.clone()>{move || labelled(i18n, &label.get(), optional.get())}</label>
            <input
                id=id.clone()
                name=name
                type=kind
                value=value
                autocomplete=autocomplete
                inputmode=keys
                readonly=readonly
                aria-required=required.then_some("true")
                aria-invalid=move || fault.get().is_some().then_some("true")
                aria-describedby=described
            />
            <FieldFault name=id fault />
            {hint}
        </div>
    }
}

/// A field for an amount, which shows how the input is read.
#[component]
pub fn Amount(
    /// The name in the form.
    #[prop(into)]
    name: String,
    /// The label.
    label: String,
    /// The initial value.
    value: String,
    /// Whether it is required.
    #[prop(optional)]
    required: bool,
    /// A hint below the field.
    #[prop(optional, into)]
    hint: Option<String>,
    /// The currency.
    currency: Currency,
    /// The errors of the form.
    faults: FieldErrors,
) -> impl IntoView {
    let i18n = use_i18n();
    let typed = RwSignal::new(value.clone());
    let understood = move || {
        let price = typed.with(|typed| amounts::read("", typed, currency)).ok()?;
        Some(t!(i18n, seller_products.understood, price = words::money(i18n, price)))
    };
    view! {
        <div on:input=move |event| typed.set(event_target_value(&event))>
            <Field name label value keys="decimal" required hint=hint.unwrap_or_default() faults />
            <p class="field-hint" aria-live="polite">{understood}</p>
        </div>
    }
}

/// A multi-line text field.
#[component]
pub fn TextArea(
    /// The name in the form, and the ID.
    #[prop(into)]
    name: String,
    /// The label.
    #[prop(into)]
    label: String,
    /// The initial value.
    #[prop(optional, into)]
    value: String,
    /// Whether the label says that it is optional.
    #[prop(optional)]
    optional: bool,
    /// The number of visible lines.
    #[prop(default = 4)]
    rows: u32,
    /// A hint below the field.
    #[prop(optional, into)]
    hint: Option<String>,
    /// The errors of the form.
    #[prop(optional, into)]
    faults: FieldErrors,
) -> impl IntoView {
    let i18n = use_i18n();
    let fault = fault(faults, &name);
    let described = described_by(&name, hint.is_some(), fault);
    let hint = hint.map(|words| view! { <p class="field-hint" id=format!("{name}-hint")>{words}</p> });
    // Leptos does not escape the content of a textarea.
    let inside = value.replace('&', "&amp;").replace('<', "&lt;");
    view! {
        <div class="field" class:wrong=move || fault.get().is_some()>
            <label for=name.clone()>{labelled(i18n, &label, optional)}</label>
            <textarea
                id=name.clone()
                name=name.clone()
                rows=rows.to_string()
                aria-invalid=move || fault.get().is_some().then_some("true")
                aria-describedby=described
                inner_html=inside
            ></textarea>
            <FieldFault name fault />
            {hint}
        </div>
    }
}

/// A checkbox.
#[component]
pub fn Check(
    /// The name in the form.
    name: &'static str,
    /// The ID, if a page has several fields with this name.
    #[prop(optional, into)]
    id: Option<String>,
    /// The label.
    #[prop(into)]
    label: String,
    /// Whether it is initially checked.
    checked: bool,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| name.to_owned());
    view! {
        <div class="check">
            <input type="checkbox" id=id.clone() name=name value="true" checked=checked />
            <label for=id>{label}</label>
        </div>
    }
}

/// A select field.
#[component]
pub fn Select(
    /// The name in the form.
    #[prop(into)]
    name: String,
    /// The ID, if a page has several fields with this name.
    #[prop(optional, into)]
    id: Option<String>,
    /// The label.
    #[prop(into)]
    label: String,
    /// The initial value.
    #[prop(into)]
    value: String,
    /// The options: value and label.
    options: Vec<(&'static str, &'static str)>,
    /// The `autocomplete` value.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// Whether it can't be changed now. Only the other options are disabled, because a disabled field is not
    /// submitted.
    #[prop(optional)]
    readonly: bool,
    /// The errors of the form.
    #[prop(optional, into)]
    faults: FieldErrors,
) -> impl IntoView {
    let fault = fault(faults, &name);
    let id = id.unwrap_or_else(|| name.clone());
    let described = described_by(&id, false, fault);
    let options = options
        .into_iter()
        .map(|(code, words)| {
            let chosen = code == value;
            let disabled = readonly && !chosen;
            view! { <option value=code selected=chosen disabled=disabled>{words}</option> }
        })
        .collect_view();
    view! {
        <div class="field" class:wrong=move || fault.get().is_some()>
            <label for=id.clone()>{label}</label>
            <select
                id=id.clone()
                name=name
                autocomplete=autocomplete
                aria-invalid=move || fault.get().is_some().then_some("true")
                aria-describedby=described
            >
                {options}
            </select>
            <FieldFault name=id fault />
        </div>
    }
}

/// A group of radio buttons.
#[component]
pub fn Choice(
    /// The name in the form.
    name: &'static str,
    /// The label of the group.
    #[prop(into)]
    label: String,
    /// The initial value. May be empty.
    #[prop(into)]
    value: String,
    /// The options: value, label and note.
    options: Vec<(String, String, String)>,
    /// The errors of the form.
    #[prop(optional, into)]
    faults: FieldErrors,
) -> impl IntoView {
    let fault = fault(faults, name);
    let described = described_by(name, false, fault);
    let options = options.into_iter().enumerate().map(|(i, (code, words, note))| {
        // The error summary links to the first option by the field's name.
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
            <FieldFault name=name.to_owned() fault />
        </fieldset>
    }
}

/// All errors of a form, at its top, with a link to each field.
#[component]
pub fn ErrorSummary(
    /// The errors of the form.
    #[prop(into)]
    faults: FieldErrors,
    /// The labels of the fields by name, in order.
    labels: Vec<(&'static str, String)>,
) -> impl IntoView {
    let i18n = use_i18n();
    let labels = StoredValue::new(labels);
    move || {
        let error = faults.get()?;
        let at_fields = labels.with_value(|labels| {
            let each = labels.iter();
            each.filter_map(|(name, label)| Some(((*name).to_owned(), label.clone(), error.at(name)?)))
                .collect()
        });
        Some(error_summary(i18n, &error, at_fields))
    }
}

/// An error summary for a form with dynamic fields: names, labels and errors.
pub fn error_summary(i18n: Locale, error: &Error, at_fields: Vec<(String, String, FieldCode)>) -> AnyView {
    if at_fields.is_empty() {
        let words = words::error(i18n, error);
        return view! { <Alert>{words}</Alert> }.into_any();
    }
    let heading = tn!(i18n, failure.check_fields, at_fields.len());
    let items = at_fields.into_iter().map(|(name, label, code)| {
        let href = format!("#{name}");
        view! {
            <li>
                <a href=href rel="external">{label}</a>
                " — "
                {words::fault(i18n, &name, code)}
            </li>
        }
    });
    let items = items.collect_view();
    view! {
        <Alert>
            <p class="alert-title">{heading}</p>
            <ul>{items}</ul>
        </Alert>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_in_its_text_area() {
        let owner = Owner::new();
        owner.with(|| {
            let hostile = "</textarea><script>alert(1)</script> &amp; \" x";
            let html = view! { <TextArea name="about" label="About" value=hostile /> }.to_html();
            assert!(!html.contains("<script"), "{html}");
            assert!(
                html.contains("&lt;/textarea>&lt;script>alert(1)&lt;/script> &amp;amp; \" x</textarea>"),
                "{html}"
            );
        });
    }
}
