//! Options and variants: a table with a row for each variant, in which several are changed at once.

use std::collections::HashSet;

use haat_shared::{
    Currency, Error,
    catalog::edit::{NAME_MAX, OPTIONS_MAX, VARIANTS_MAX, VariantForm},
    text,
};
use leptos::{
    ev::{Event, KeyboardEvent},
    prelude::*,
    web_sys,
};

use super::{
    RemoveButton, UndoNote,
    rows::{Removed, Row, Rows, focus, position, set_field, values},
};
use crate::{
    i18n::{t, tu_string, use_i18n},
    ui::{Amount, Field, Icon},
};

#[component]
pub(super) fn Variants(rows: Rows, currency: Currency, faults: Signal<Option<Error>>) -> impl IntoView {
    let i18n = use_i18n();
    let selected = RwSignal::new(HashSet::<u32>::new());
    let several = Memo::new(move |_| rows.variants.with(Vec::len) > 1);
    let heads = move || {
        let heads = [
            t!(i18n, seller_products.variant),
            t!(i18n, seller_products.price),
            t!(i18n, seller_products.compare_at),
            t!(i18n, seller_products.stock),
            t!(i18n, seller_products.sku),
        ];
        heads.map(|words| view! { <span>{words}</span> }).collect_view()
    };
    view! {
        <section class="panel form variants" aria-labelledby="variants">
            <h2 id="variants">{t!(i18n, seller_products.variants)}</h2>
            <p class="note">{t!(i18n, seller_products.variants_note)}</p>
            <For each=move || rows.options.get() key=|row| row.number children=move |row| view! { <OptionRow row rows faults /> } />
            <div>
                <button
                    type="button"
                    class="button secondary"
                    disabled=move || rows.options.with(|rows| rows.len() >= OPTIONS_MAX)
                    on:click=move |_| {
                        rows.add_option();
                        if let Some(last) = rows.options.with_untracked(|all| all.last().map(|row| row.number)) {
                            focus(format!("options.{last}"));
                        }
                    }
                >
                    {t!(i18n, seller_products.add_option)}
                </button>
            </div>
            <Bulk rows selected currency several />
            <div class="variant-rows" class:several=several>
                {move || several.get().then(|| view! { <div class="variant-head note" aria-hidden="true"><span></span>{heads()}</div> })}
                <For each=move || rows.variants.get() key=|row| row.number children=move |row| view! { <Variant row rows selected currency faults /> } />
            </div>
            <UndoNote rows of=|removed| matches!(removed, Removed::Variants(..)) />
            <div>
                <button
                    type="button"
                    class="button secondary"
                    disabled=move || rows.variants.with(|rows| rows.len() >= VARIANTS_MAX)
                    on:click=move |_| rows.add_variant()
                >
                    {t!(i18n, seller_products.add_variant)}
                </button>
            </div>
        </section>
    }
}

/// An option: its name, and its values as chips.
#[component]
fn OptionRow(row: Row<String>, rows: Rows, faults: Signal<Option<Error>>) -> impl IntoView {
    let i18n = use_i18n();
    let Row { number, first } = row;
    let named = move |event: Event| {
        let name = event_target_value(&event);
        rows.options.update(|all| {
            if let Some(row) = all.iter_mut().find(|row| row.number == number) {
                row.first = name;
            }
        });
    };
    let chips = Memo::new(move |_| {
        let at = rows.options.with(|all| all.iter().position(|row| row.number == number));
        at.map_or(Vec::new(), |at| rows.variants.with(|all| values(all, at)))
    });
    let add = move |input: web_sys::HtmlInputElement| {
        let typed = input.value();
        input.set_value("");
        if !typed.trim().is_empty() {
            rows.add_values(number, &typed);
        }
    };
    let pressed = move |event: KeyboardEvent| {
        // Enter would submit the form. It also ends the input of a composed character.
        if event.key() == "Enter" && !event.is_composing() {
            event.prevent_default();
            add(event_target(&event));
        }
    };
    let chip = move |value: String| {
        let shown = value.replace(text::is_direction_override, "");
        let name = tu_string!(i18n, seller_products.remove_value, value = shown.as_str()).to_string();
        let remove = move |_| {
            rows.remove_value(number, &value);
            focus(format!("values.{number}"));
        };
        view! {
            <li class="value-chip">
                <span>{shown}</span>
                <button type="button" aria-label=name on:click=remove><Icon name="close" /></button>
            </li>
        }
    };
    view! {
        <div class="row-fields option-row">
            <div on:input=named>
                <Field name=format!("options.{number}") label=t!(i18n, seller_products.option) value=first faults />
            </div>
            <div class="option-values">
                <div on:keydown=pressed on:change=move |event: Event| add(event_target(&event))>
                    <Field name=format!("values.{number}") label=t!(i18n, seller_products.option_values) hint=t!(i18n, seller_products.option_hint).to_owned() />
                </div>
                <ul class="value-chips"><For each=move || chips.get() key=String::clone children=chip /></ul>
            </div>
            <RemoveButton name=t!(i18n, seller_products.remove_option) remove=Callback::new(move |()| rows.remove_option(number)) />
        </div>
    }
}

/// Selects all variants, and changes those that are selected.
#[component]
fn Bulk(
    rows: Rows,
    selected: RwSignal<HashSet<u32>>,
    currency: Currency,
    several: Memo<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    let applied = RwSignal::new(false);
    let current = Memo::new(move |_| {
        rows.variants.with(|all| {
            selected.with(|chosen| {
                all.iter().map(|row| row.number).filter(|n| chosen.contains(n)).collect::<HashSet<_>>()
            })
        })
    });
    Effect::new(move || {
        current.track();
        applied.set(false);
    });
    let all = move || current.with(HashSet::len) == rows.variants.with(Vec::len);
    let choose = move |event: Event| {
        let numbers = rows.variants.with_untracked(|all| all.iter().map(|row| row.number).collect());
        selected.set(if event_target_checked(&event) { numbers } else { HashSet::new() });
    };
    let apply = move || {
        let Some(form) = rows.form.get_untracked() else { return };
        let Ok(data) = web_sys::FormData::new_with_form(&form) else { return };
        for part in ["price", "stock"] {
            let value = data.get(&format!("bulk.{part}")).as_string().unwrap_or_default();
            if !value.trim().is_empty() {
                current.with_untracked(|all| {
                    all.iter().for_each(|n| set_field(&format!("variants.{n}.{part}"), &value))
                });
            }
        }
        applied.set(true);
    };
    let pressed = move |event: KeyboardEvent| {
        if event.key() == "Enter" && event_target::<web_sys::Element>(&event).tag_name() == "INPUT" {
            event.prevent_default();
            apply();
        }
    };
    let remove = move |_| {
        current.with_untracked(|all| rows.remove_variants(all));
        selected.set(HashSet::new());
        focus("variants-all".into());
    };
    let said = move || match (applied.get(), current.with(HashSet::len)) {
        (true, n) => t!(i18n, seller_products.applied, n = n),
        (false, 0) => String::new(),
        (false, n) => t!(i18n, seller_products.chosen, n = n),
    };
    let any = Memo::new(move |_| current.with(|all| !all.is_empty()));
    let price = format!("{} ({})", t!(i18n, seller_products.price), currency.code());
    view! {
        <div class="variant-bulk" hidden=move || !several.get() on:keydown=pressed>
            <label class="check">
                <input type="checkbox" id="variants-all" prop:checked=all on:change=choose />
                <span>{t!(i18n, seller_products.all_variants)}</span>
            </label>
            <p class="note" role="status">{said}</p>
            {move || any.get().then(|| view! {
                <div class="row-fields">
                    <Field name="bulk.price" label=price.clone() keys="decimal" />
                    <Field name="bulk.stock" label=t!(i18n, seller_products.stock) keys="numeric" />
                    <button type="button" class="button secondary" on:click=move |_| apply()>{t!(i18n, seller_products.apply)}</button>
                    <button type="button" class="button quiet" on:click=remove>{t!(i18n, seller_products.remove_chosen)}</button>
                </div>
            })}
        </div>
    }
}

#[component]
fn Variant(
    row: Row<VariantForm>,
    rows: Rows,
    selected: RwSignal<HashSet<u32>>,
    currency: Currency,
    faults: Signal<Option<Error>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let Row { number, first } = row;
    let at = format!("variants.{number}");
    let place =
        move || rows.variants.with(|rows| rows.iter().position(|row| row.number == number)).unwrap_or(0) + 1;
    let named = move || tu_string!(i18n, seller_products.variant_n, n = place()).to_string();
    let simple = Memo::new(move |_| rows.is_simple());
    let several = Memo::new(move |_| rows.variants.with(Vec::len) > 1);
    let titled = Memo::new(move |_| rows.options.with(Vec::is_empty) && several.get());
    let own = move || {
        rows.variants
            .with_untracked(|all| all.iter().find(|row| row.number == number).map(|row| row.first.clone()))
            .unwrap_or_default()
    };
    let label = Memo::new(move |_| {
        let found = rows
            .variants
            .with(|all| all.iter().find(|row| row.number == number).map(|row| row.first.options.join(" / ")));
        text::clip(&found.unwrap_or_default(), NAME_MAX)
    });
    // A new combination is named first.
    let opened = RwSignal::new(first.options.iter().any(String::is_empty));
    let (option_at, low_at) = (format!("{at}.options"), format!("{at}.low_stock"));
    let measures_at = ["weight_g", "length_mm", "width_mm", "height_mm"].map(|part| format!("{at}.{part}"));
    let refused = move || {
        let hidden = |name: &str| {
            name.starts_with(&option_at) || name == low_at || measures_at.iter().any(|at| name == at)
        };
        faults.with(|error| matches!(error, Some(Error::Invalid(all)) if all.iter().any(|fault| hidden(&fault.field))))
    };
    let open = Memo::new(move |_| opened.get() || simple.get() || refused());
    let tick = move |event: Event| {
        let on = event_target_checked(&event);
        selected.update(|all| {
            if on {
                all.insert(number);
            } else {
                all.remove(&number);
            }
        });
    };
    let value_at = at.clone();
    let option = move |option: Row<String>| {
        let option = option.number;
        let name = format!("{value_at}.options.{option}");
        let place = position(rows.options, option).unwrap_or_default();
        let value = own().options.get(place).cloned().unwrap_or_default();
        let typed = move |event: Event| {
            let value = event_target_value(&event);
            let Some(place) = position(rows.options, option) else { return };
            rows.variants.update(|all| {
                let row = all.iter_mut().find(|row| row.number == number);
                if let Some(own) = row.and_then(|row| row.first.options.get_mut(place)) {
                    *own = value;
                }
            });
        };
        // Labelled with the option's name when it was typed.
        let label =
            rows.options.with_untracked(|all| all.get(place).map(|row| text::clip(&row.first, NAME_MAX)));
        let label = label
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| tu_string!(i18n, seller_products.value_n, n = place + 1).to_string());
        view! { <div on:input=typed><Field name label value faults /></div> }
    };
    let title_at = format!("{at}.title");
    let title = move || {
        match titled.get() {
        true => view! { <Field name=title_at.clone() label=t!(i18n, seller_products.variant_title) value=own().title faults /> }.into_any(),
        false => view! { <p class="variant-name">{move || label.get()}</p> }.into_any(),
    }
    };
    let money = |words: &str| format!("{words} ({})", currency.code());
    let more_id = format!("{at}.more");
    let remove = move |_| {
        rows.remove_variants(&HashSet::from([number]));
        focus("variants-all".into());
    };
    let measures = [
        ("weight_g", t!(i18n, seller_products.weight_g), first.weight_g.clone()),
        ("length_mm", t!(i18n, seller_products.length_mm), first.length_mm.clone()),
        ("width_mm", t!(i18n, seller_products.width_mm), first.width_mm.clone()),
        ("height_mm", t!(i18n, seller_products.height_mm), first.height_mm.clone()),
    ];
    let measures = measures.map(|(part, label, value)| {
        view! { <Field name=format!("{at}.{part}") label=label value=value keys="numeric" faults /> }
    });
    view! {
        <fieldset class="variant" id=at.clone() class:simple=simple>
            {move || (!simple.get()).then(|| view! { <legend class="hidden">{named()}</legend> })}
            {move || several.get().then(|| view! {
                <label class="check variant-tick">
                    <input type="checkbox" prop:checked=move || selected.with(|all| all.contains(&number)) on:change=tick />
                    <span class="hidden">{move || tu_string!(i18n, seller_products.choose_one, title = named()).to_string()}</span>
                </label>
            })}
            {move || (!simple.get()).then(|| view! { <div class="variant-title">{title.clone()()}</div> })}
            <Amount name=format!("{at}.price") label=money(t!(i18n, seller_products.price)) value=first.price required=true currency faults />
            <Amount name=format!("{at}.compare_at") label=money(t!(i18n, seller_products.compare_at)) value=first.compare_at required=false currency faults />
            {(!first.unlimited).then(|| view! {
                <Field name=format!("{at}.stock") label=t!(i18n, seller_products.stock) value=first.stock keys="numeric" required=true faults />
            })}
            <Field name=format!("{at}.sku") label=t!(i18n, seller_products.sku) value=first.sku faults />
            <button
                type="button"
                class="icon-button variant-toggle"
                hidden=simple
                aria-expanded=move || open.get().to_string()
                aria-controls=more_id.clone()
                aria-label=move || tu_string!(i18n, seller_products.more, n = place()).to_string()
                on:click=move |_| opened.update(|open| *open = !*open)
            >
                <Icon name="settings" />
            </button>
            <div class="row-fields variant-more" id=more_id hidden=move || !open.get()>
                <For each=move || rows.options.get() key=|row| (row.number, row.first.clone()) children=option />
                <Field name=format!("{at}.low_stock") label=t!(i18n, seller_products.low_stock) value=first.low_stock keys="numeric" faults />
                {measures}
                {move || several.get().then(|| view! {
                    <button type="button" class="button quiet" on:click=remove>{tu_string!(i18n, seller_products.remove_variant, n = place()).to_string()}</button>
                })}
            </div>
        </fieldset>
    }
}
