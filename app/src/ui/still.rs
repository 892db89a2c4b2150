//! Parts of a page that stay as the server rendered them when the page is hydrated.

use leptos::prelude::*;

/// A view of one element that has no events and follows no signals: what it shows is data and links.
///
/// Hydration walks through every node of a page and builds its view, which on a phone takes most of the time until
/// the page responds. Such an element is passed over, and its view isn't built. It is built like any other when the
/// user comes from another page. It must not create resources, whose numbers count on both sides.
#[cfg(feature = "ssr")]
pub(crate) fn still(view: impl FnOnce() -> AnyView + Send + 'static) -> AnyView {
    view()
}

/// The same in the browser.
#[cfg(not(feature = "ssr"))]
pub(crate) fn still(view: impl FnOnce() -> AnyView + Send + 'static) -> AnyView {
    browser::Still { view: Box::new(view), owner: Owner::current() }.into_any()
}

#[cfg(not(feature = "ssr"))]
mod browser {
    use leptos::{
        attr::{Attribute, any_attribute::AnyAttribute},
        prelude::*,
        tachys::{
            html::InertElement,
            hydration::Cursor,
            view::{Position, PositionState, add_attr::AddAnyAttr, any_view::AnyViewState},
        },
    };

    /// One type for all of them, so that another one adds little to the download.
    pub(super) struct Still {
        pub(super) view: Box<dyn FnOnce() -> AnyView + Send>,
        /// Whoever it belongs to: it is built later.
        pub(super) owner: Option<Owner>,
    }

    impl Still {
        fn view(self) -> AnyView {
            match self.owner {
                Some(owner) => owner.with(self.view),
                None => (self.view)(),
            }
        }
    }

    impl Render for Still {
        type State = AnyViewState;

        fn build(self) -> AnyViewState {
            self.view().build()
        }

        fn rebuild(self, state: &mut AnyViewState) {
            let mut new = self.build();
            state.insert_before_this(&mut new);
            state.unmount();
            *state = new;
        }
    }

    impl AddAnyAttr for Still {
        type Output<A: Attribute> = Self;

        fn add_any_attr<A: Attribute>(self, _: A) -> Self {
            self
        }
    }

    impl RenderHtml for Still {
        type AsyncOutput = AnyView;
        type Owned = Self;

        const MIN_LENGTH: usize = 0;

        fn dry_resolve(&mut self) {}

        async fn resolve(self) -> AnyView {
            self.view()
        }

        fn to_html_with_buf(
            self,
            buf: &mut String,
            position: &mut Position,
            escape: bool,
            mark_branches: bool,
            extra_attrs: Vec<AnyAttribute>,
        ) {
            self.view().to_html_with_buf(buf, position, escape, mark_branches, extra_attrs);
        }

        /// Like an element whose contents are constant: the cursor passes over it.
        fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> AnyViewState {
            InertElement::new("").into_any().hydrate::<FROM_SERVER>(cursor, position)
        }

        fn into_owned(self) -> Self {
            self
        }
    }
}
