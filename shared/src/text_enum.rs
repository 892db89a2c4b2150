//! Enums that are stored and sent as text.

use serde::{Deserialize, Deserializer, de::Error};

/// Declares an enum with a text for each variant: `Draft = "draft"`. `as_str`, `parse`, serde and the
/// REST API's schema use it.
#[macro_export]
macro_rules! text_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:tt,)* }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, ::serde::Serialize)]
        $(#[$meta])*
        $vis enum $name { $($(#[$variant_meta])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// All variants, in the order of declaration.
            $vis const ALL: [Self; [$($text),*].len()] = [$(Self::$variant),*];

            /// The text that is stored and sent.
            $vis fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The variant with this text.
            $vis fn parse(text: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|it| it.as_str() == text)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> ::core::result::Result<Self, D::Error> {
                $crate::text_enum::read(from, Self::parse, &[$($text),*])
            }
        }
    };
}

/// Reads a text enum. What serde derives is five times as large, once for each enum that browsers load.
#[doc(hidden)]
pub fn read<'de, D: Deserializer<'de>, T>(
    from: D,
    parse: fn(&str) -> Option<T>,
    texts: &'static [&'static str],
) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    parse(&text).ok_or_else(|| D::Error::unknown_variant(&text, texts))
}

#[cfg(test)]
mod tests {
    text_enum! {
        /// A light.
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        enum Light {
            /// On.
            On = "on",
            /// Going out.
            GoingOut = "light.going_out",
        }
    }

    #[test]
    fn a_variant_is_one_text_everywhere() {
        assert_eq!(Light::ALL, [Light::On, Light::GoingOut]);
        assert_eq!(Light::ALL.map(Light::as_str), ["on", "light.going_out"]);
        for light in Light::ALL {
            assert_eq!(Light::parse(light.as_str()), Some(light));
            let json = serde_json::to_value(light).unwrap();
            assert_eq!(json, light.as_str());
            assert_eq!(serde_json::from_value::<Light>(json).unwrap(), light);
        }
        for other in ["", "On", "going_out", "off"] {
            assert_eq!(Light::parse(other), None);
            assert!(serde_json::from_value::<Light>(other.into()).is_err());
        }
        #[cfg(feature = "openapi")]
        assert_eq!(
            serde_json::to_value(<Light as utoipa::PartialSchema>::schema()).unwrap()["enum"],
            serde_json::json!(["on", "light.going_out"])
        );
    }
}
