//! Fields for quantities of an order's lines: what is shipped, refunded or returned of it.

use haat_shared::{Error, FieldCode, checkout::CheckoutLineView, forms::Draft, orders::part_field};
use leptos::prelude::*;

use crate::{
    i18n::{t, use_i18n},
    ui::{Alert, Field, error_summary},
};

/// A field for each line of which something is left.
pub(crate) struct Quantities {
    /// The fields.
    pub(crate) fields: AnyView,
    /// Those with errors: ID, label and error.
    pub(crate) wrong: Vec<(String, String, FieldCode)>,
}

impl Quantities {
    /// The fields for lines, each with how many are left of it.
    pub(crate) fn of(
        lines: impl IntoIterator<Item = (CheckoutLineView, i64)>,
        /* What was typed before, and its errors. */ typed: Option<&Draft>,
        /* Distinguishes the fields of several forms. */ of: &str,
        /* Whether a single item is chosen to begin with. */ preset: bool,
        label: impl Fn(String, i64) -> String,
    ) -> Self {
        let lines: Vec<_> = lines.into_iter().filter(|(_, left)| *left > 0).collect();
        let single = preset && lines.iter().map(|(_, left)| left).sum::<i64>() == 1;
        let error = typed.and_then(|draft| draft.error.clone());
        let faults: Signal<Option<Error>> = Signal::stored(error.clone());
        let (mut wrong, mut fields) = (Vec::new(), Vec::new());
        for (line, left) in lines {
            let name = part_field(line.position);
            let id = format!("{name}{of}");
            let title = match line.variant_title.as_str() {
                "" => line.title,
                variant => format!("{}, {variant}", line.title),
            };
            let label = label(title, left);
            if let Some(code) = error.as_ref().and_then(|error| error.at(&name)) {
                wrong.push((id.clone(), label.clone(), code));
            }
            let value = match typed {
                Some(draft) => draft.typed(&name),
                None if single => "1".to_owned(),
                None => String::new(),
            };
            fields.push(view! { <Field name id label value keys="numeric" faults /> });
        }
        Self { fields: view! { <div class="quantities">{fields}</div> }.into_any(), wrong }
    }

    /// All errors of a form with quantities: that none was entered, and those at fields. `others` are the names, IDs and
    /// labels of the fields that are no quantities.
    pub(crate) fn summary(
        mut wrong: Vec<(String, String, FieldCode)>,
        error: &Error,
        others: &[(&str, String, &str)],
    ) -> AnyView {
        let i18n = use_i18n();
        let others = others
            .iter()
            .filter_map(|(name, id, label)| Some((id.clone(), (*label).to_owned(), error.at(name)?)));
        wrong.extend(others);
        let none = error.at("lines").map(|_| view! { <Alert>{t!(i18n, seller_orders.part_missing)}</Alert> });
        let rest = (none.is_none() || !wrong.is_empty()).then(|| error_summary(i18n, error, wrong));
        view! {
            {none}
            {rest}
        }
        .into_any()
    }
}
