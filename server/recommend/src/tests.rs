//! The rules of learning and recommending.

use std::collections::HashSet;

use proptest::prelude::*;

use crate::{
    Bought, Interaction, Neighbour, Neighbours, Quality, Settings, alike, evaluate, evaluate_popular,
    recommend, together,
};

const DAY: i64 = 86_400_000;
const NOW: i64 = 1_000 * DAY;

fn bought(user: u128, item: u128, days_ago: i64) -> Interaction {
    Interaction { user, item, at_ms: NOW - days_ago * DAY, weight: 1.0 }
}

/// Users who bought these items, a day ago.
fn baskets(items: &[&[u128]]) -> Vec<Interaction> {
    let of = |(user, items): (u128, &&[u128])| {
        items.iter().map(move |item| bought(user, *item, 1)).collect::<Vec<_>>()
    };
    (0..).zip(items).flat_map(of).collect()
}

fn items(of: &[Neighbour]) -> Vec<u128> {
    of.iter().map(|n| n.item).collect()
}

#[test]
fn what_is_bought_together_comes_first() {
    // 1 and 2 always come together; 9 is in every basket.
    let orders = baskets(&[&[1, 2, 9], &[1, 2, 9], &[3, 9], &[3, 4, 9], &[4, 9], &[5, 9], &[5, 9], &[6, 9]]);
    for learned in [together, alike] {
        let learned = learned(&orders, NOW, &Settings::default());
        assert_eq!(items(&learned[&1])[0], 2, "rather than what everybody buys");
        assert_eq!(items(&learned[&2])[0], 1);
        assert!(!learned.contains_key(&6), "bought once: that says nothing");
        assert!(!items(&learned[&9]).contains(&6));
    }
    let one = Settings { neighbours: 1, ..Settings::default() };
    assert_eq!(together(&orders, NOW, &one)[&9].len(), 1);
}

#[test]
fn what_was_bought_lately_counts_more() {
    let mut orders = Vec::new();
    for user in 0..3 {
        // Three times long ago, twice lately.
        orders.extend([bought(user, 1, 700), bought(user, 2, 700)]);
    }
    for user in 10..12 {
        orders.extend([bought(user, 1, 2), bought(user, 3, 2)]);
    }
    for learned in [together, alike] {
        assert_eq!(items(&learned(&orders, NOW, &Settings::default())[&1]), [3, 2]);
    }
    // The same with what somebody bought themselves.
    let learned: Neighbours =
        [(1, vec![Neighbour { item: 11, score: 500 }]), (2, vec![Neighbour { item: 12, score: 600 }])].into();
    let of = |item| learned.get(&item).map(Vec::as_slice).unwrap_or_default();
    let at = |item, days_ago: i64| Bought { item, at_ms: NOW - days_ago * DAY };
    let found =
        |history: &[Bought]| recommend(history, NOW, 9, of).iter().map(|r| r.item).collect::<Vec<_>>();
    assert_eq!(found(&[at(1, 1), at(2, 1)]), [12, 11]);
    assert_eq!(found(&[at(1, 1), at(2, 100)]), [11, 12]);
}

#[test]
fn a_recommendation_says_what_it_is_because_of() {
    let learned: Neighbours = [
        (1, vec![Neighbour { item: 7, score: 500 }, Neighbour { item: 2, score: 400 }]),
        (2, vec![Neighbour { item: 7, score: 900 }, Neighbour { item: 8, score: 1_000 }]),
    ]
    .into();
    let of = |item| learned.get(&item).map(Vec::as_slice).unwrap_or_default();
    let history =
        [Bought { item: 1, at_ms: NOW }, Bought { item: 2, at_ms: NOW }, Bought { item: 5, at_ms: NOW }];
    let found = recommend(&history, NOW, 9, of);
    let seen: Vec<_> = found.iter().map(|r| (r.item, r.score, r.because)).collect();
    assert_eq!(seen, [(7, 1_400, 2), (8, 1_000, 2)], "and not 2, which they have");
    assert_eq!(recommend(&history, NOW, 1, of).len(), 1);
    assert_eq!(recommend(&[], NOW, 9, of), []);
}

#[test]
fn rare_items_have_neighbours_too() {
    let orders = baskets(&[&[1, 2], &[1, 2], &[1, 2], &[1, 3], &[1, 3], &[4, 5], &[4, 5]]);
    let small = Settings { core: 2, ..Settings::default() };
    let learned = alike(&orders, NOW, &small);
    assert_eq!(items(&learned[&4]), [5]);
    assert!(items(&learned[&1]).contains(&3));
    assert!(alike(&[], NOW, &small).is_empty());
    assert!(alike(&orders, NOW, &Settings { core: 0, ..small }).contains_key(&4));
}

#[test]
fn quality_counts_what_was_bought_for_the_first_time() {
    // Before the cut, 1 and 2 were bought together, as 3 and 4 were. Since then: 2 after 1, 1 again, and 9 after 3.
    let mut lines = Vec::new();
    for user in 0..4 {
        lines.extend([
            bought(user, 1, 20),
            bought(user, 2, 20),
            bought(user + 10, 3, 20),
            bought(user + 10, 4, 20),
        ]);
    }
    lines.extend([bought(20, 1, 15), bought(20, 2, 5), bought(20, 1, 4)]);
    lines.extend([bought(21, 3, 15), bought(21, 9, 5)]);
    lines.extend([bought(22, 4, 15), bought(22, 4, 5)]);
    lines.push(bought(23, 1, 5));
    let cut = NOW - 10 * DAY;
    let found = evaluate(&lines, cut, &Settings::default());
    assert_eq!((found.shoppers, found.recall, found.mrr), (2, 500_000, 500_000), "{found:?}");
    assert!(found.coverage > 0);
    assert!(evaluate_popular(&lines, cut).shoppers == 2);
    assert_eq!(evaluate(&[], cut, &Settings::default()), Quality::default());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn neighbours_are_others_in_order_however_many_threads(
        lines in prop::collection::vec((0_u128..12, 0_u128..15, 0_i64..300, 0_u8..3), 0..150),
        core in 0_usize..20, most in 1_usize..6,
    ) {
        let lines: Vec<_> = lines
            .into_iter()
            .map(|(user, item, ago, weight)| Interaction { weight: f32::from(weight), ..bought(user, item, ago) })
            .collect();
        let settings = Settings { core, neighbours: most, ..Settings::default() };
        let known: HashSet<u128> = lines.iter().map(|i| i.item).collect();
        for learn in [together, alike] {
            let learned = learn(&lines, NOW, &settings);
            for (item, of) in &learned {
                prop_assert!(known.contains(item) && of.len() <= most && !of.is_empty());
                prop_assert!(of.iter().all(|n| n.item != *item && n.score > 0 && known.contains(&n.item)));
                prop_assert!(of.windows(2).all(|two| two[0].score >= two[1].score));
                prop_assert_eq!(items(of).into_iter().collect::<HashSet<_>>().len(), of.len());
            }
            let reversed: Vec<_> = lines.iter().rev().copied().collect();
            prop_assert_eq!(&learn(&reversed, NOW, &Settings { threads: 3, ..settings }), &learned);
            let history: Vec<Bought> =
                lines.iter().take(9).map(|i| Bought { item: i.item, at_ms: i.at_ms }).collect();
            let of = |item| learned.get(&item).map(Vec::as_slice).unwrap_or_default();
            let found = recommend(&history, NOW, most, of);
            prop_assert!(found.len() <= most);
            for r in &found {
                prop_assert!(history.iter().all(|b| b.item != r.item));
                prop_assert!(history.iter().any(|b| b.item == r.because));
            }
        }
    }
}
