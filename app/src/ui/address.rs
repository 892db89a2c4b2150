//! An address: its fields in a form, as its country writes them, and its label.

use haat_shared::{
    Error, FieldCode,
    addresses::{self, Address, AddressView, Need, PostalName, StateName},
};
use leptos::prelude::*;

use super::{
    Field, Select,
    field::{FieldFault, described_by, fault, labelled},
};
use crate::{
    api, countries,
    i18n::{Locale, t, tu_string, use_i18n},
    words,
};

fn state_name(i18n: Locale, name: StateName) -> &'static str {
    match name {
        StateName::Area => t!(i18n, checkout.area),
        StateName::County => t!(i18n, checkout.county),
        StateName::Department => t!(i18n, checkout.department),
        StateName::District => t!(i18n, checkout.district),
        StateName::DoSi => t!(i18n, checkout.do_si),
        StateName::Emirate => t!(i18n, checkout.emirate),
        StateName::Island => t!(i18n, checkout.island),
        StateName::Oblast => t!(i18n, checkout.oblast),
        StateName::Parish => t!(i18n, checkout.parish),
        StateName::Prefecture => t!(i18n, checkout.prefecture),
        StateName::Province => t!(i18n, checkout.province),
        StateName::State => t!(i18n, checkout.state),
    }
}

fn postal_name(i18n: Locale, name: PostalName) -> &'static str {
    match name {
        PostalName::Eircode => t!(i18n, checkout.eircode),
        PostalName::Pin => t!(i18n, checkout.pin_code),
        PostalName::Postal => t!(i18n, checkout.postal_code),
        PostalName::Postcode => t!(i18n, checkout.postcode),
        PostalName::Zip => t!(i18n, checkout.zip_code),
    }
}

/// The name of each field of an address in a form, and how browsers fill it in.
type Names = [(&'static str, &'static str); 7];

/// The names of a shipping address.
pub(crate) const NAMES: Names = [
    ("country", "shipping country"),
    ("name", "shipping name"),
    ("line1", "shipping address-line1"),
    ("line2", "shipping address-line2"),
    ("city", "shipping address-level2"),
    ("region", "shipping address-level1"),
    ("postal_code", "shipping postal-code"),
];

/// The names of a billing address: with [`BILLING`](haat_shared::checkout::BILLING).
pub(crate) const BILLING_NAMES: Names = [
    ("billing.country", "billing country"),
    ("billing.name", "billing name"),
    ("billing.line1", "billing address-line1"),
    ("billing.line2", "billing address-line2"),
    ("billing.city", "billing address-level2"),
    ("billing.region", "billing address-level1"),
    ("billing.postal_code", "billing postal-code"),
];

/// The labels of the fields, for messages. Some depend on the country.
pub(crate) fn address_labels(
    i18n: Locale,
    country: &str,
    names: Names,
) -> impl Iterator<Item = (&'static str, String)> {
    let (state, postal) = addresses::part_names(country);
    let labels = [
        tu_string!(i18n, checkout.country),
        tu_string!(i18n, checkout.name),
        tu_string!(i18n, checkout.line1),
        tu_string!(i18n, checkout.line2),
        tu_string!(i18n, checkout.city),
        state_name(i18n, state.unwrap_or(StateName::State)),
        postal_name(i18n, postal),
    ];
    names.into_iter().zip(labels).map(|((name, _), label)| (name, label.to_owned()))
}

/// The fields of a shipping address. Which there are, and what they are called, follows the country; without JavaScript,
/// when the form is sent with the button beside it.
#[component]
pub(crate) fn AddressFields(
    /// What has been entered so far.
    address: Address,
    /// The code and name of each region of its country, where there is a table of them.
    regions: Vec<(String, String)>,
    /// The selected country.
    country: RwSignal<String>,
    /// The names of the fields.
    names: Names,
    /// Whether it can't be changed now.
    readonly: bool,
    /// The errors of the form.
    faults: Signal<Option<Error>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let Address { name, line1, line2, city, region, postal_code, country: at_first, .. } = address;
    let needs = Memo::new(move |_| country.with(|code| addresses::needs(code)));
    let called = Memo::new(move |_| country.with(|code| addresses::part_names(code)));
    let [of_country, of_name, of_line1, of_line2, of_city, of_region, of_code] = names;
    let fields_of = of_country.0.replace("country", "fields_of");
    let city_optional = Signal::derive(move || needs.get().city == Need::Optional);
    let no_region = move || needs.get().region == Need::Absent;
    let no_postal_code = move || needs.get().postal_code == Need::Absent;
    view! {
        <Select name=of_country.0 label=tu_string!(i18n, checkout.country) value=at_first.clone() options=countries::all(i18n) autocomplete=of_country.1 readonly faults />
        {(!readonly).then(|| view! {
            <button type="submit" class="button secondary line-update" name="action" value="update">
                {t!(i18n, checkout.update)}
            </button>
        })}
        // The country that the fields below are those of.
        <input type="hidden" name=fields_of value=at_first.clone() prop:value=move || country.get() />
        <Field name=of_name.0 label=tu_string!(i18n, checkout.name) value=name autocomplete=of_name.1 required=true readonly faults />
        <Field name=of_line1.0 label=tu_string!(i18n, checkout.line1) value=line1 autocomplete=of_line1.1 required=true readonly faults />
        <Field name=of_line2.0 label=tu_string!(i18n, checkout.line2) optional=true value=line2 autocomplete=of_line2.1 readonly faults />
        <div class="field-row">
            <Field name=of_city.0 label=tu_string!(i18n, checkout.city) optional=city_optional value=city autocomplete=of_city.1 readonly faults />
            // What was entered in a part that a country doesn't have is there again with the next, but is not submitted.
            <fieldset class="bare" hidden=no_region disabled=no_region>
                <Region field=of_region at_first value=region regions country needs called readonly faults />
            </fieldset>
            <fieldset class="bare" hidden=no_postal_code disabled=no_postal_code>
                <PostalCode field=of_code value=postal_code country needs called readonly faults />
            </fieldset>
        </div>
    }
}

/// What a country calls its states and its postal codes.
type Called = Memo<(Option<StateName>, PostalName)>;

#[component]
fn PostalCode(
    /// Its name, and how browsers fill it in.
    field: (&'static str, &'static str),
    value: String,
    country: RwSignal<String>,
    needs: Memo<addresses::Needs>,
    called: Called,
    readonly: bool,
    faults: Signal<Option<Error>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let (id, autocomplete) = field;
    let fault = fault(faults, id);
    let described = described_by(id, true, fault);
    let label =
        move || labelled(i18n, postal_name(i18n, called.get().1), needs.get().postal_code == Need::Optional);
    let example = move || {
        let code = country.with(|code| addresses::postal_code_example(code));
        (!code.is_empty()).then(|| t!(i18n, checkout.postal_code_example, code = code))
    };
    view! {
        <div class="field" class:wrong=move || fault.get().is_some()>
            <label for=id>{label}</label>
            <input
                id=id
                name=id
                value=value
                autocomplete=autocomplete
                readonly=readonly
                aria-invalid=move || fault.get().is_some().then_some("true")
                aria-describedby=described
            />
            <FieldFault name=id.to_owned() fault />
            <p class="field-hint" id=format!("{id}-hint")>{example}</p>
        </div>
    }
}

/// The state or province: one of a list where there is a table of them, else a text.
#[component]
fn Region(
    /// Its name, and how browsers fill it in.
    field: (&'static str, &'static str),
    /// The country that the value and the regions are those of.
    at_first: String,
    value: String,
    regions: Vec<(String, String)>,
    country: RwSignal<String>,
    needs: Memo<addresses::Needs>,
    called: Called,
    readonly: bool,
    faults: Signal<Option<Error>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let (id, autocomplete) = field;
    let fault = fault(faults, id);
    let described = described_by(id, false, fault);
    let label = move || {
        let label = called.get().0.map_or("", |name| state_name(i18n, name));
        labelled(i18n, label, needs.get().region != Need::Required)
    };
    // What was entered for each country, and the regions of the one whose regions were asked for last.
    let entered = StoredValue::new(vec![(at_first.clone(), value)]);
    let known = RwSignal::new((at_first, regions));
    Effect::new(move |_| {
        let code = country.get();
        if known.with_untracked(|(of, _)| *of == code) || addresses::needs(&code).region == Need::Absent {
            return;
        }
        leptos::task::spawn_local(async move {
            // Offline, it is entered as a text, which the server understands as well.
            let regions = api::addresses::regions(code.clone()).await.unwrap_or_default();
            if country.try_get_untracked().is_some_and(|now| now == code) {
                known.set((code, regions));
            }
        });
    });
    let changed = move |event| {
        let (now, value) = (country.get_untracked(), event_target_value(&event));
        entered.update_value(|entered| {
            entered.retain(|(of, _)| *of != now);
            entered.push((now, value));
        });
    };
    let control = move || {
        let code = country.get();
        let value = entered.with_value(|entered| {
            entered.iter().find(|(of, _)| *of == code).map(|(_, value)| value.clone()).unwrap_or_default()
        });
        let (described, invalid) = (described.clone(), move || fault.get().is_some().then_some("true"));
        known.with(|(of, regions)| {
            let here = *of == code;
            if here && regions.is_empty() {
                return view! {
                    <input
                        id=id
                        name=id
                        value=value
                        autocomplete=autocomplete
                        readonly=readonly
                        aria-invalid=invalid
                        aria-describedby=described
                        on:change=changed
                    />
                }
                .into_any();
            }
            let options = regions.iter().filter(|_| here).map(|(code, name)| {
                let chosen = *code == value;
                view! { <option value=code.clone() selected=chosen disabled=readonly && !chosen>{name.clone()}</option> }
            });
            let options = options.collect_view();
            view! {
                <select
                    id=id
                    name=id
                    // Until its regions are there.
                    disabled=!here
                    autocomplete=autocomplete
                    aria-invalid=invalid
                    aria-describedby=described
                    on:change=changed
                >
                    <option value="" disabled=readonly && !value.is_empty()>{t!(i18n, checkout.select_region)}</option>
                    {options}
                </select>
            }
            .into_any()
        })
    };
    let wrong = move || {
        let code = fault.get()?;
        let words = match (code, called.get().0) {
            (FieldCode::NotAChoice, Some(name)) => {
                t!(i18n, checkout.choose_region, name = state_name(i18n, name).to_lowercase())
            }
            (code, _) => words::fault(i18n, id, code),
        };
        Some(view! { <p class="field-error" id=format!("{id}-error")>{words}</p> })
    };
    view! {
        <div class="field" class:wrong=move || fault.get().is_some()>
            <label for=id>{label}</label>
            {control}
            {wrong}
        </div>
    }
}

/// An address, formatted as a label. The phone number is a link that dials it.
#[component]
pub(crate) fn AddressLines(address: AddressView) -> impl IntoView {
    let country = countries::name(use_i18n(), &address.parts.country).to_owned();
    let phone = address.parts.phone;
    let phone = match address.phone_uri {
        Some(href) => view! { <span><a href=href>{phone}</a></span> }.into_any(),
        None => view! { <span>{phone}</span> }.into_any(),
    };
    let lines = address.formatted.into_iter().chain([country]);
    let lines = lines.map(|line| view! { <span>{line}</span> }).collect_view();
    view! { <address>{lines} {phone}</address> }
}
