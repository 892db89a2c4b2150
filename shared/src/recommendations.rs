//! Recommendations: products, each with the reason why it is shown.

use serde::{Deserialize, Serialize};

use crate::catalog::ProductCard;

text_enum! {
    /// Why a product is recommended.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum RecommendationReason {
        /// It is often part of the same purchase as the product.
        BoughtTogether = "bought_together",
        /// Those who bought something that the user has bought bought it, too.
        Purchase = "purchase",
        /// It sells well.
        Popular = "popular",
    }
}

/// A product that was bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BoughtProduct {
    /// The product's title.
    pub title: String,
    /// The slug used in the product's URL.
    pub slug: String,
}

/// A recommended product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recommendation {
    /// The product.
    pub product: ProductCard,
    /// Why it is recommended.
    pub reason: RecommendationReason,
    /// If the reason is a purchase: what was bought.
    pub because: Option<BoughtProduct>,
}

/// What goes with a product, on its page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelatedProducts {
    /// The products, without their reasons: browsers have loaded cards with the home page.
    pub items: Vec<ProductCard>,
    /// How many of them, at the beginning, are bought together with the product. The others sell well in its category.
    pub together: usize,
}

/// What is recommended to a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recommendations {
    /// Whether the user wants recommendations because of what they bought. If not, there are none.
    pub enabled: bool,
    /// The products, best first.
    pub items: Vec<Recommendation>,
}
