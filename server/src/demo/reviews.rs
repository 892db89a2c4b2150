//! What the customers of the demo say about what they have bought, and what the shops answer.

use haat_engine::{Caller, Engine, reviews};
use haat_shared::{
    Result,
    page::ListRequest,
    reports::ReportReason,
    reviews::{NewReview, ReviewReport},
};

use super::dice::Dice;

/// How many stars people give.
const RATINGS: [i64; 12] = [5, 5, 5, 5, 5, 4, 4, 4, 4, 3, 2, 1];

/// Titles and texts for 1 to 5 stars.
const SAID: [&[(&str, &str)]; 5] = [
    &[
        (
            "Not what I ordered",
            "It isn’t what the pictures show, and the box was torn. I’m asking for a return.",
        ),
        ("Disappointed", ""),
    ],
    &[
        (
            "Smaller than I thought",
            "Read the measurements before you buy. The quality is fine, but I can’t use it.",
        ),
        ("", "It took two weeks, and the packaging was poor."),
    ],
    &[
        ("Okay for the price", "Does what it should. I had hoped for a better finish."),
        ("", "Good product, slow delivery."),
        ("ठीक-ठाक", "कीमत के हिसाब से ठीक है।"),
    ],
    &[
        ("Good value", "Well made and as described. One star less because the box was much too big."),
        ("", "Happy with it. I’d buy from this shop again."),
        ("Nice", "Looks even better than in the pictures."),
        ("अच्छा है", "पैकिंग अच्छी थी और सामान समय पर मिला।"),
    ],
    &[
        (
            "Beautiful",
            "Carefully packed, arrived early, and exactly as described. A gift for my mother, who loves it.",
        ),
        ("Exactly as described", ""),
        ("", "My second one. Still the best that I’ve found."),
        ("Highly recommended", "Great quality, and the shop answered my question within an hour."),
        ("बहुत बढ़िया", "क्वालिटी शानदार है। ज़रूर खरीदें।"),
    ],
];

/// What shops answer to those who are unhappy, and to the others.
const SORRY: &str = "We’re sorry about that. Please message us from your order, so that we can put it right.";
const THANKS: &str = "Thank you for your kind words! We’re glad that you like it.";

/// What somebody says of an item, if they say something.
fn said(dice: &mut Dice) -> Option<NewReview> {
    if dice.between(0, 10) < 3 {
        return None;
    }
    let rating = dice.pick(&RATINGS).copied()?;
    let of_rating = SAID.get(usize::try_from(rating - 1).ok()?)?;
    let (title, text) = dice.pick(of_rating).copied()?;
    let anonymous = dice.between(0, 8) == 0;
    Some(NewReview { rating, title: title.into(), text: text.into(), anonymous, version: 0 })
}

/// A customer reviews what they like of an order, and the shop may answer.
pub(super) async fn write(
    engine: &Engine,
    customer: &Caller,
    (owner, handle): (&Caller, &str),
    order: &str,
    dice: &mut Dice,
) -> Result<()> {
    let purchase = order.rsplit_once('-').map_or("", |(purchase, _)| purchase);
    let items = reviews::of_purchase(engine, customer, purchase).await?;
    for item in items.into_iter().filter(|item| item.order == order && item.rating == 0) {
        let Some(new) = said(dice) else { continue };
        let rating = new.rating;
        let review = reviews::save(engine, customer, order, item.position, new).await?;
        let answer = match rating {
            1..=3 if dice.between(0, 3) > 0 => SORRY,
            4.. if dice.between(0, 5) == 0 => THANKS,
            _ => continue,
        };
        reviews::reply(engine, owner, handle, review.id, answer).await?;
    }
    Ok(())
}

/// Readers find some reviews of a shop helpful, and report one.
pub(super) async fn read(
    engine: &Engine,
    readers: &[Caller],
    (owner, handle): (&Caller, &str),
    dice: &mut Dice,
) -> Result<()> {
    let found = reviews::of_shop(engine, owner, handle, &ListRequest::default()).await?.page.items;
    for review in &found {
        for reader in readers {
            if dice.between(0, 6) == 0 {
                // Nobody votes for their own.
                reviews::vote(engine, reader, review.review.id, true).await.ok();
            }
        }
    }
    if let Some(review) = found.iter().find(|review| review.review.rating == 1) {
        for reader in readers.iter().take(2) {
            let details = "The customer writes about the delivery, not about the product.".to_owned();
            let report = ReviewReport { reason: ReportReason::Other, details };
            reviews::report(engine, reader, review.review.id, report).await.ok();
        }
    }
    Ok(())
}
