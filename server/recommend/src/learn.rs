//! Learning neighbours.

use crate::{Interaction, Neighbour, Neighbours, Settings, data::Matrix, inverse::invert};

/// An item counts as a neighbour if it was bought with the other by at least so many.
const SEEN: usize = 2;
/// How much the neighbours of rare items count beside those of the core: they are known less well.
const RARE: f32 = 0.3;
/// How much of the popularity of a neighbour is taken out of its score, in `together`, and what is added to it before, relative
/// to that of an average item: otherwise, what was bought once, by chance with this one, would come first.
const POPULARITY: f32 = 0.5;
const DOUBT: f32 = 2.0;

/// What is bought together: for users that are purchases. How often two items were bought together, relative to how often each
/// of them was.
pub fn together(purchases: &[Interaction], now_ms: i64, settings: &Settings) -> Neighbours {
    let matrix = Matrix::new(purchases, now_ms, settings);
    let totals: Vec<f32> = (0..matrix.items.len()).map(|item| matrix.total(item)).collect();
    let doubt = DOUBT * mean(&totals);
    each(&matrix, settings, |item, counts, seen| {
        let own = totals[item].sqrt();
        let score =
            |other: u32| counts[other as usize] / (own * (totals[other as usize] + doubt).powf(POPULARITY));
        seen.iter().map(|other| (*other, score(*other))).collect()
    })
}

/// What those like who bought an item: for users that are shoppers. A linear model predicts from everything that a shopper
/// bought whether they bought an item (EASE: Steck, "Embarrassingly shallow autoencoders for sparse data", 2019). So that of
/// items that always come together, each is not counted again. Items outside the core are each predicted on their own.
pub fn alike(interactions: &[Interaction], now_ms: i64, settings: &Settings) -> Neighbours {
    let matrix = Matrix::new(interactions, now_ms, settings);
    let totals: Vec<f32> = (0..matrix.items.len()).map(|item| matrix.total(item)).collect();
    let core = matrix.items.len().min(settings.core);
    let ridge = settings.ridge * mean(&totals[..core]);
    let mut inverse = vec![0.0; core * core];
    by_rows(&mut inverse, core, settings.threads, |start, rows| {
        let mut counts = vec![0.0; matrix.items.len()];
        for (item, row) in (start..).zip(rows.chunks_exact_mut(core)) {
            let seen = matrix.count_with(item, &mut counts);
            row.copy_from_slice(&counts[..core]);
            row[item] += ridge;
            seen.iter().for_each(|other| counts[*other as usize] = 0.0);
        }
    });
    invert(&mut inverse, core, settings.threads);
    each(&matrix, settings, |item, counts, seen| {
        let alone = |other: u32| RARE * counts[other as usize] / (totals[item] + ridge);
        if item >= core {
            return seen.iter().map(|other| (*other, alone(*other))).collect();
        }
        let row = &inverse[item * core..(item + 1) * core];
        let learned = (0..core).map(|other| (other as u32, -row[other] / inverse[other * core + other]));
        let rare = seen.iter().filter(|other| **other as usize >= core).map(|other| (*other, alone(*other)));
        learned.chain(rare).collect()
    })
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

/// Has threads fill the rows of a matrix. Each gets the number of its first row.
fn by_rows(matrix: &mut [f32], n: usize, threads: usize, fill: impl Fn(usize, &mut [f32]) + Sync) {
    // Small parts, since the items that are bought most, which come first, take longest.
    let part = 16;
    let parts = std::sync::Mutex::new(matrix.chunks_mut((part * n).max(1)).enumerate());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let next = parts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
                    let Some((number, rows)) = next else { break };
                    fill(number * part, rows);
                }
            });
        }
    });
}

/// The neighbours of each item, from the scores of others: of those with whom it was counted, or of any.
fn each(
    matrix: &Matrix,
    settings: &Settings,
    scores: impl Fn(usize, &[f32], &[u32]) -> Vec<(u32, f32)> + Sync,
) -> Neighbours {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let of_thread = || {
        let mut counts = vec![0.0; matrix.items.len()];
        let mut found = Vec::new();
        loop {
            let item = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if item >= matrix.items.len() {
                return found;
            }
            if matrix.buyers(item) < SEEN {
                continue;
            }
            let seen = matrix.count_with(item, &mut counts);
            let scores = scores(item, &counts, &seen);
            let best = best(matrix, item, scores, settings.neighbours);
            if !best.is_empty() {
                found.push((matrix.items[item], best));
            }
            seen.iter().for_each(|other| counts[*other as usize] = 0.0);
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..settings.threads.max(1)).map(|_| scope.spawn(of_thread)).collect();
        // A thread that panicked has found nothing.
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}

/// The best scores that are more than 0.
fn best(matrix: &Matrix, item: usize, scores: Vec<(u32, f32)>, most: usize) -> Vec<Neighbour> {
    let scores = scores.into_iter().filter(|(other, _)| *other as usize != item);
    let scores = scores.filter(|(other, _)| matrix.buyers(*other as usize) >= SEEN);
    let scores = scores.map(|(other, score)| Neighbour {
        item: matrix.items[other as usize],
        score: (score * 1_000_000.0) as i64,
    });
    let mut scores: Vec<Neighbour> = scores.filter(|neighbour| neighbour.score > 0).collect();
    let order = |n: &Neighbour| (std::cmp::Reverse(n.score), n.item);
    if scores.len() > most && most > 0 {
        scores.select_nth_unstable_by_key(most - 1, order);
    }
    scores.truncate(most);
    scores.sort_unstable_by_key(order);
    scores
}
