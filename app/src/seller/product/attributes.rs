//! The attributes that the category asks for, and free specifications.

use haat_shared::{
    Error,
    catalog::{
        Attribute,
        attributes::{AttributeKind, CategoryAttribute},
    },
};
use leptos::{ev::Event, prelude::*};

use super::{
    RemoveButton,
    rows::{Row, Rows, set_field},
};
use crate::{
    i18n::{t, use_i18n},
    ui::Field,
    words,
};

/// A field for each attribute that the category asks for. Values of another category stay in the form's state,
/// so that they return with their category.
#[component]
pub(super) fn Attributes(rows: Rows, faults: Signal<Option<Error>>) -> impl IntoView {
    let i18n = use_i18n();
    let field = move |asked: CategoryAttribute| view! { <AttributeField asked rows faults /> };
    view! {
        <section class="panel form" aria-labelledby="attributes-title" hidden=move || rows.asked.with(Vec::is_empty)>
            <h2 id="attributes-title">{t!(i18n, seller_products.attributes)}</h2>
            <div class="row-fields">
                <For each=move || rows.asked.get() key=|asked| (asked.code.clone(), asked.required) children=field />
            </div>
        </section>
    }
}

/// The name of an attribute's field, apart from the specifications.
pub(super) fn field_name(code: &str) -> String {
    format!("typed.{code}")
}

#[component]
fn AttributeField(asked: CategoryAttribute, rows: Rows, faults: Signal<Option<Error>>) -> impl IntoView {
    let i18n = use_i18n();
    let CategoryAttribute { code, name, kind, unit, options, required, .. } = asked;
    let id = field_name(&code);
    let value = rows.values.with_untracked(|values| values.get(&code).cloned()).unwrap_or_default();
    let typed = move |event: Event| {
        rows.values.update(|values| {
            values.insert(code.clone(), event_target_value(&event));
        });
    };
    let label = if unit.is_empty() { name.clone() } else { format!("{name} ({unit})") };
    let label = match required {
        true => t!(i18n, seller_products.required, label = label),
        false => t!(i18n, form.optional, label = label),
    };
    let choices = match kind {
        AttributeKind::YesNo => Some(vec![
            ("yes".to_owned(), t!(i18n, product.yes).to_owned()),
            ("no".to_owned(), t!(i18n, product.no).to_owned()),
        ]),
        AttributeKind::Choice => Some(options.into_iter().map(|option| (option.code, option.name)).collect()),
        AttributeKind::Text | AttributeKind::Number | AttributeKind::Color => None,
    };
    let field = match (choices, kind) {
        (Some(choices), _) => view! { <Choices id label value choices required faults /> }.into_any(),
        (None, AttributeKind::Color) => {
            // A colour field can't be empty and sets the text beside it, which can.
            let (target, start) =
                (id.clone(), if value.is_empty() { "#808080".to_owned() } else { value.clone() });
            let picked = move |event: Event| {
                set_field(&target, &event_target_value(&event));
            };
            view! {
                <div class="color-field">
                    <Field name=id label value required faults />
                    <input type="color" value=start aria-label=name on:input=picked />
                </div>
            }
            .into_any()
        }
        (None, AttributeKind::Number) => {
            view! { <Field name=id label value keys="decimal" required faults /> }.into_any()
        }
        (None, _) => view! { <Field name=id label value required faults /> }.into_any(),
    };
    view! { <div on:input=typed>{field}</div> }
}

#[component]
fn Choices(
    id: String,
    label: String,
    value: String,
    choices: Vec<(String, String)>,
    required: bool,
    faults: Signal<Option<Error>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let at = id.clone();
    let fault = Memo::new(move |_| faults.with(|error| error.as_ref().and_then(|error| error.at(&at))));
    let none = (String::new(), t!(i18n, seller_products.choose).to_owned());
    let options = std::iter::once(none).chain(choices).map(|(code, name)| {
        let selected = code == value;
        view! { <option value=code selected=selected>{name}</option> }
    });
    let options = options.collect_view();
    let (named, error_id) = (id.clone(), format!("{id}-error"));
    let described = error_id.clone();
    view! {
        <div class="field" class:wrong=move || fault.get().is_some()>
            <label for=id.clone()>{label}</label>
            <select
                id=id.clone()
                name=id
                aria-required=required.then_some("true")
                aria-invalid=move || fault.get().is_some().then_some("true")
                aria-describedby=move || fault.get().map(|_| described.clone())
            >
                {options}
            </select>
            {move || fault.get().map(|code| view! { <p class="field-error" id=error_id.clone()>{words::fault(i18n, &named, code)}</p> })}
        </div>
    }
}

/// The specifications: "Weight", "3.4 kg".
#[component]
pub(super) fn Details(rows: Rows, faults: Signal<Option<Error>>) -> impl IntoView {
    let i18n = use_i18n();
    let detail = move |row: Row<Attribute>| {
        let Row { number, first } = row;
        view! {
            <div class="row-fields option-row">
                <Field name=format!("attributes.{number}.name") label=t!(i18n, seller_products.detail_name) value=first.name faults />
                <Field name=format!("attributes.{number}.value") label=t!(i18n, seller_products.detail_value) value=first.value faults />
                <RemoveButton name=t!(i18n, seller_products.remove_detail) remove=Callback::new(move |()| rows.remove(rows.attributes, number)) />
            </div>
        }
    };
    let empty = || Attribute { name: String::new(), value: String::new() };
    view! {
        <section class="panel form" aria-labelledby="details">
            <h2 id="details">{t!(i18n, seller_products.details)}</h2>
            <For each=move || rows.attributes.get() key=|row| row.number children=detail />
            <div>
                <button type="button" class="button secondary" on:click=move |_| rows.add(rows.attributes, empty())>
                    {t!(i18n, seller_products.add_detail)}
                </button>
            </div>
        </section>
    }
}
