//! The rating of a product, which changes in the transaction that changes a review of it.

use crate::{TxResult, db::Tx, params, statements};
use haat_shared::{id::kinds::ProductId, reviews::ReviewState};

statements! {
    // The score is that of `haat_shared::reviews::score`.
    RATE = "UPDATE products SET rating_sum = rating_sum + $2, rating_count = rating_count + $3,
        rating_score = CASE WHEN rating_count + $3 = 0 THEN 0
            ELSE (17500 + 1000 * (rating_sum + $2)) / (5 + rating_count + $3) END
        WHERE id = $1";
}

/// The status of a review, and its rating.
pub(super) type Rated = (ReviewState, i64);

/// Replaces a review by another one in the rating of its product. Those that aren't published don't count.
pub(super) async fn change_in_tx(
    tx: &mut Tx,
    product: ProductId,
    before: Option<Rated>,
    after: Rated,
) -> TxResult<()> {
    let counted = |rated: Option<Rated>| match rated {
        Some((ReviewState::Published, rating)) => (rating, 1),
        _ => (0, 0),
    };
    let ((less, one_less), (more, one_more)) = (counted(before), counted(Some(after)));
    if (less, one_less) != (more, one_more) {
        tx.exec(&RATE, params![product, more - less, one_more - one_less]).await?;
    }
    Ok(())
}
