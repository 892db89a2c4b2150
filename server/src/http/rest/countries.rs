//! How the addresses of a country are written.

use haat_shared::{
    Error, Result,
    addresses::{self, Need, Needs, regions},
    routes::*,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, RequestContext, extract::At, reply::Found};

pub(super) fn routes(api: Api) -> Api {
    api.on(
        API_COUNTRY,
        "Retrieves how the addresses of a country are written: which parts they have, and the codes of its regions.",
        view,
    )
}

/// How the addresses of a country are written.
#[derive(Serialize, ToSchema)]
struct AddressFormat {
    /// The two-letter country code (ISO 3166-1 alpha-2, and XK).
    code: String,
    /// Whether addresses have a town or city.
    #[schema(inline)]
    city: PartNeed,
    /// Whether addresses have a state or province. In some countries, the town is enough instead.
    #[schema(inline)]
    region: PartNeed,
    /// Whether addresses have a postal code.
    #[schema(inline)]
    postal_code: PartNeed,
    /// A postal code, as an example.
    postal_code_example: Option<String>,
    /// The states or provinces, by name. If it is empty, addresses have none, or any text is accepted.
    regions: Vec<RegionCard>,
}

/// Whether an address has a part.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PartNeed {
    /// Every address has it.
    Required,
    /// It may be left out.
    Optional,
    /// No address has it.
    Absent,
}

impl From<Need> for PartNeed {
    fn from(need: Need) -> Self {
        match need {
            Need::Required => Self::Required,
            Need::Optional => Self::Optional,
            Need::Absent => Self::Absent,
        }
    }
}

/// A state or province.
#[derive(Serialize, ToSchema)]
struct RegionCard {
    /// The code: ISO 3166-2 without the country.
    code: String,
    /// The name.
    name: String,
}

async fn view(context: RequestContext, At(code): At<String>) -> Result<Found<AddressFormat>> {
    if !addresses::countries().any(|country| country == code) {
        return Err(Error::NotFound);
    }
    let Needs { city, region, postal_code } = addresses::needs(&code);
    let example = addresses::postal_code_example(&code);
    let regions = regions::choices(&code, context.caller.locale).into_iter();
    Ok(Found(AddressFormat {
        city: city.into(),
        region: region.into(),
        postal_code: postal_code.into(),
        postal_code_example: (!example.is_empty()).then(|| example.to_owned()),
        regions: regions.map(|(code, name)| RegionCard { code, name }).collect(),
        code,
    }))
}
