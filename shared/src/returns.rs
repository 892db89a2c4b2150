//! Returns: what customers ask to give back or report as a problem, and what becomes of it.

use serde::{Deserialize, Serialize};

use crate::{
    field::{FieldCode, FieldError},
    fulfilment::{Actor, LineQuantity, NOTE_MAX, OrderState, lines},
    id::kinds::{MediaId, RefundId, ReturnId, VariantId},
    media::{Picture, Purpose},
    text,
};

/// The maximum number of returns of an order, so that nobody floods a shop with emails.
pub const RETURNS_MAX: i64 = 20;

text_enum! {
    /// The status of a return.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum ReturnState {
        /// The customer asks for it. The shop has to answer.
        Requested = "requested",
        /// The shop, or the marketplace, expects the items back.
        Approved = "approved",
        /// The shop, or the marketplace, does not accept it.
        Rejected = "rejected",
        /// The customer has withdrawn it.
        Withdrawn = "withdrawn",
        /// The shop has the items.
        Received = "received",
        /// It is refunded.
        Refunded = "refunded",
        /// The shop sends other items instead.
        Exchanged = "exchanged",
    }
}

/// All steps of a return, with those who may take them. The marketplace decides only on requests that the shop has
/// left unanswered for too long. What a shop opens itself begins as approved.
pub const STEPS: [(ReturnState, ReturnState, &[Actor]); 9] = {
    use ReturnState::*;
    [
        (Requested, Approved, &[Actor::Shop, Actor::Market]),
        (Requested, Rejected, &[Actor::Shop, Actor::Market]),
        (Requested, Refunded, &[Actor::Shop, Actor::Market]),
        (Requested, Withdrawn, &[Actor::Shopper]),
        (Approved, Withdrawn, &[Actor::Shopper]),
        (Approved, Received, &[Actor::Shop]),
        (Approved, Refunded, &[Actor::Shop]),
        (Received, Refunded, &[Actor::Shop]),
        (Received, Exchanged, &[Actor::Shop]),
    ]
};

impl ReturnState {
    /// Whether `actor` may bring a return from this state to `next`.
    pub fn may(self, next: Self, actor: Actor) -> bool {
        STEPS.iter().any(|(from, to, by)| (*from, *to) == (self, next) && by.contains(&actor))
    }

    /// Whether its items are neither expected nor back, so that they can be returned again.
    pub fn is_void(self) -> bool {
        matches!(self, Self::Rejected | Self::Withdrawn)
    }
}

text_enum! {
    /// Why something is returned.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum ReturnReason {
        /// It is damaged or doesn't work.
        Damaged = "damaged",
        /// It is not what was ordered.
        WrongItem = "wrong_item",
        /// It doesn't fit.
        DoesNotFit = "does_not_fit",
        /// The customer has changed their mind.
        ChangedMind = "changed_mind",
        /// It never arrived, so it can't be sent back.
        NeverArrived = "never_arrived",
        /// Another reason.
        Other = "other",
    }
}

/// What is wrong with items, whatever a shop takes back.
const PROBLEMS: [ReturnReason; 2] = [ReturnReason::Damaged, ReturnReason::WrongItem];

/// For which reasons the customer may ask for a return: for any as long as a delivered order can be returned, and later
/// because something is wrong with it; and of one that is on its way and paid, because it never arrived.
pub fn reasons(
    state: OrderState,
    returnable: bool,
    pickup: bool,
    by_marketplace: bool,
) -> &'static [ReturnReason] {
    match state {
        OrderState::Delivered if returnable => &ReturnReason::ALL,
        OrderState::Delivered => &PROBLEMS,
        OrderState::Shipped if by_marketplace && !pickup => &[ReturnReason::NeverArrived],
        _ => &[],
    }
}

/// A customer's request to return items, or to be refunded for what never arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewReturnRequest {
    /// The lines, with quantities.
    pub lines: Vec<LineQuantity>,
    /// Why.
    pub reason: ReturnReason,
    /// What the shop should know. May be empty, except for the reason `other`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(format = "optional-line", max_length = 300))]
    pub note: String,
    /// For an exchange: the variant that the customer would like instead of each line. Empty for a refund.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchange: Vec<ExchangeWish>,
    /// The IDs of images that were uploaded for this order. At most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<MediaId>,
}

/// What a customer would like instead of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ExchangeWish {
    /// The line's position in the order.
    pub position: i64,
    /// A variant of the same product that is not more expensive.
    pub variant_id: VariantId,
}

/// What a line can be exchanged for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExchangeOption {
    /// The line's position in the order.
    pub position: i64,
    /// The variant.
    pub variant_id: VariantId,
    /// The variant's title. May be empty.
    pub title: String,
    /// Whether it is the ordered variant, which is sent again if it was damaged or another item was delivered.
    pub same: bool,
    /// Whether there is enough of it now for all items of the line, or for those of the return.
    pub in_stock: bool,
}

/// The field of what a line is exchanged for, in the customer's form.
pub fn exchange_field(position: i64) -> String {
    format!("exchange.{position}")
}

/// For which reasons the ordered variant is sent again.
pub fn may_repeat(reason: ReturnReason) -> bool {
    matches!(reason, ReturnReason::Damaged | ReturnReason::WrongItem)
}

impl NewReturnRequest {
    /// The request with its note trimmed, or all errors.
    pub fn check(self) -> Result<Self, Vec<FieldError>> {
        let note = match self.reason {
            ReturnReason::Other => text::line("note", &self.note, NOTE_MAX),
            _ => text::optional_line("note", &self.note, NOTE_MAX),
        };
        let images = Purpose::ReturnPicture.upload().check_count(self.images.len());
        let images = images.map_err(|code| FieldError::new("images", code));
        match (lines(&self.lines), note, self.check_exchange(), images) {
            (Ok(()), Ok(note), Ok(()), Ok(())) => Ok(Self { note, ..self }),
            (lines, note, exchange, images) => {
                let faults = lines.err().into_iter().flatten();
                Err(faults.chain(note.err()).chain(exchange.err()).chain(images.err()).collect())
            }
        }
    }

    /// An exchange names something for each of its lines, once. What never arrived is refunded.
    fn check_exchange(&self) -> Result<(), FieldError> {
        if self.exchange.is_empty() {
            return Ok(());
        }
        if self.reason == ReturnReason::NeverArrived {
            return Err(FieldError::new("exchange", FieldCode::NotAChoice));
        }
        let wishes = |position| self.exchange.iter().filter(|wish| wish.position == position).count();
        let complete = self.lines.iter().all(|line| wishes(line.position) == 1);
        match complete && self.exchange.len() == self.lines.len() {
            true => Ok(()),
            false => Err(FieldError::new("exchange", FieldCode::Missing)),
        }
    }
}

/// How a request is approved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReturnApproval {
    /// Where and how to send the items. Required, unless they needn't be sent back.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(format = "optional-line", max_length = 300))]
    pub note: String,
    /// Whether to refund at once, without getting the items back. What never arrived always is.
    #[serde(default)]
    pub refund_now: bool,
    /// Whether to refund the shipping costs as well. Only with `refund_now`.
    #[serde(default)]
    pub shipping: bool,
}

impl ReturnApproval {
    /// The approval of a return for this reason with its note trimmed, or its error.
    pub fn check(self, reason: ReturnReason) -> Result<Self, FieldError> {
        let refund_now = self.refund_now || reason == ReturnReason::NeverArrived;
        let note = match refund_now {
            true => text::optional_line("note", &self.note, NOTE_MAX)?,
            false => text::line("note", &self.note, NOTE_MAX)?,
        };
        match self.shipping && !refund_now {
            true => Err(FieldError::new("shipping", FieldCode::NotAChoice)),
            false => Ok(Self { note, refund_now, ..self }),
        }
    }
}

/// What happens to a return that the shop received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReturnReceipt {
    /// Whether to return its items to stock.
    pub restock: bool,
    /// Whether to refund them in the same step.
    #[serde(default)]
    pub refund: bool,
    /// Whether to refund the shipping costs as well. Only with `refund`.
    #[serde(default)]
    pub shipping: bool,
}

impl ReturnReceipt {
    /// Received without a refund.
    pub fn only(restock: bool) -> Self {
        Self { restock, ..Self::default() }
    }
}

/// A part of an order that comes back to its shop, or that the customer reports as a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderReturn {
    /// The return's ID.
    pub id: ReturnId,
    /// Its status.
    #[serde(rename = "status")]
    pub state: ReturnState,
    /// Why.
    pub reason: ReturnReason,
    /// What the customer, or the shop that opened it, adds to that. May be empty.
    pub note: String,
    /// The answer: where to send the items, or why it was rejected. May be empty.
    pub answer: String,
    /// What it is about.
    pub lines: Vec<LineQuantity>,
    /// When it was requested or opened: RFC 3339, UTC.
    pub opened_at: String,
    /// Until when the shop has to answer a request: RFC 3339, UTC. Later, the marketplace may decide.
    pub answer_by: String,
    /// Whether it is a request that the shop has left unanswered for too long.
    pub escalated: bool,
    /// When the shop received it: RFC 3339, UTC. Null until then.
    pub received_at: Option<String>,
    /// Whether its items were returned to stock.
    pub restocked: bool,
    /// The images that the customer has sent. They are private.
    #[serde(rename = "images")]
    pub pictures: Vec<Picture>,
    /// The refund. Null until it is refunded.
    pub refund_id: Option<RefundId>,
    /// What the customer would like instead of each line. Empty for a refund.
    pub exchange: Vec<ExchangeOption>,
    /// The number of the order with the items that the customer gets instead. Null until they are sent, and if it is refunded.
    pub exchange_order: Option<String>,
}

/// In a list of orders, those with requests that wait for an answer.
pub const REQUESTED: &str = "requested";
/// In a list of orders, those with requests that have waited for too long.
pub const ESCALATED: &str = "escalated";
/// In a list of orders, those with approved returns, which are to be received, or to be refunded.
pub const EXPECTED: &str = "expected";
/// In a list of orders, those with returns that are neither refunded nor rejected or withdrawn.
pub const OPEN: &str = "open";

/// The steps as a Mermaid diagram, for the documentation.
pub fn diagram() -> String {
    let mut lines = vec![
        "stateDiagram-v2".to_owned(),
        format!("    [*] --> {}: shopper", ReturnState::Requested.as_str()),
        format!("    [*] --> {}: shop", ReturnState::Approved.as_str()),
    ];
    for (from, to, by) in STEPS {
        let by: Vec<&str> = by.iter().map(|actor| actor.as_str()).collect();
        lines.push(format!("    {} --> {}: {}", from.as_str(), to.as_str(), by.join(" or ")));
    }
    for end in [ReturnState::Rejected, ReturnState::Withdrawn, ReturnState::Refunded, ReturnState::Exchanged]
    {
        lines.push(format!("    {} --> [*]", end.as_str()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{ReturnState::*, *};

    #[test]
    fn only_these_steps_exist() {
        for from in ReturnState::ALL {
            for to in ReturnState::ALL {
                let allowed = match (from, to) {
                    (Requested, Approved | Rejected | Refunded) => [true, false, true],
                    (Requested | Approved, Withdrawn) => [false, true, false],
                    (Approved, Received | Refunded) | (Received, Refunded | Exchanged) => {
                        [true, false, false]
                    }
                    _ => [false; 3],
                };
                let actors = [Actor::Shop, Actor::Shopper, Actor::Market];
                assert_eq!(actors.map(|actor| from.may(to, actor)), allowed, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn the_documentation_shows_these_steps() {
        let page = include_str!("../../docs/decisions/0031-returns.md");
        assert!(page.contains(&diagram()), "docs/decisions/0031-returns.md must contain:\n{}", diagram());
    }

    #[test]
    fn which_reasons_customers_have() {
        use OrderState::*;
        for state in OrderState::ALL {
            for (returnable, pickup, card) in [
                (true, false, true),
                (true, true, false),
                (false, false, true),
                (false, false, false),
                (false, true, true),
            ] {
                let expected: &[ReturnReason] = match state {
                    Delivered if returnable => &ReturnReason::ALL,
                    Delivered => &[ReturnReason::Damaged, ReturnReason::WrongItem],
                    Shipped if card && !pickup => &[ReturnReason::NeverArrived],
                    _ => &[],
                };
                assert_eq!(reasons(state, returnable, pickup, card), expected, "{state:?}");
            }
        }
    }

    #[test]
    fn requests_and_approvals_are_checked() {
        let line = LineQuantity { position: 1, quantity: 1 };
        let request = |lines: &[LineQuantity], reason, note: &str| {
            NewReturnRequest {
                lines: lines.to_vec(),
                reason,
                note: note.into(),
                exchange: Vec::new(),
                images: Vec::new(),
            }
            .check()
        };
        assert_eq!(request(&[line], ReturnReason::Damaged, " Chipped ").unwrap().note, "Chipped");
        assert_eq!(request(&[line], ReturnReason::Damaged, "").unwrap().note, "");
        let faults = request(&[], ReturnReason::Other, " ").unwrap_err();
        let faults: Vec<_> = faults.iter().map(|fault| (fault.field.as_str(), fault.code)).collect();
        assert_eq!(faults, [("lines", FieldCode::Missing), ("note", FieldCode::Missing)]);
        let approval =
            |note: &str, refund_now, shipping| ReturnApproval { note: note.into(), refund_now, shipping };
        assert_eq!(approval("", false, false).check(ReturnReason::Damaged).unwrap_err().field, "note");
        assert_eq!(approval("Here", false, true).check(ReturnReason::Damaged).unwrap_err().field, "shipping");
        let wish = |position| ExchangeWish { position, variant_id: VariantId::from_uuid(Default::default()) };
        let exchange = |wishes: &[ExchangeWish], reason| {
            let exchange = wishes.to_vec();
            NewReturnRequest { lines: vec![line], reason, note: String::new(), exchange, images: Vec::new() }
                .check()
        };
        assert!(exchange(&[wish(1)], ReturnReason::Damaged).is_ok());
        for (wishes, reason) in [
            (vec![wish(2)], ReturnReason::Damaged),
            (vec![wish(1), wish(1)], ReturnReason::Damaged),
            (vec![wish(1)], ReturnReason::NeverArrived),
        ] {
            assert_eq!(exchange(&wishes, reason).unwrap_err()[0].field, "exchange");
        }
        assert!(approval("", true, true).check(ReturnReason::Damaged).is_ok());
        assert!(approval("", false, true).check(ReturnReason::NeverArrived).unwrap().refund_now);
    }
}
