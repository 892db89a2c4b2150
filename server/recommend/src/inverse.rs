//! The inverse of a symmetric positive definite matrix.

/// How many rows are eliminated at once: as many as stay in the cache.
const BLOCK: usize = 64;
/// How many columns of them are read at once.
const TILE: usize = 512;

/// Replaces a matrix of `n` rows by its inverse: Gauss-Jordan elimination, block by block. Without exchanging rows, which a
/// positive definite matrix doesn't need.
pub(crate) fn invert(a: &mut [f32], n: usize, threads: usize) {
    let mut from = 0;
    while from < n {
        let to = (from + BLOCK).min(n);
        let size = to - from;
        // The block on the diagonal.
        let mut pivot: Vec<f32> =
            (from..to).flat_map(|row| a[row * n + from..row * n + to].iter().copied()).collect();
        invert_small(&mut pivot, size);
        // Its rows, multiplied by its inverse.
        let rows: Vec<f32> = a[from * n..to * n].to_vec();
        let mut scaled = vec![0.0; size * n];
        for (row, out) in scaled.chunks_exact_mut(n).enumerate() {
            add_products(out, &pivot[row * size..(row + 1) * size], &rows);
            out[from..to].copy_from_slice(&pivot[row * size..(row + 1) * size]);
        }
        a[from * n..to * n].copy_from_slice(&scaled);
        // All other rows: what the eliminated ones contribute is taken away.
        let per_thread = n.div_ceil(threads.max(1));
        std::thread::scope(|scope| {
            for (part, rows) in a.chunks_mut(per_thread * n).enumerate() {
                let scaled = &scaled;
                scope.spawn(move || {
                    for (row, out) in rows.chunks_exact_mut(n).enumerate() {
                        if (from..to).contains(&(part * per_thread + row)) {
                            continue;
                        }
                        let factors: Vec<f32> = out[from..to].iter().map(|factor| -factor).collect();
                        out[from..to].fill(0.0);
                        add_products(out, &factors, scaled);
                    }
                });
            }
        });
        from = to;
    }
}

/// Adds rows to a row, each times its factor.
fn add_products(out: &mut [f32], factors: &[f32], rows: &[f32]) {
    let n = out.len();
    for start in (0..n).step_by(TILE) {
        let end = (start + TILE).min(n);
        let out = &mut out[start..end];
        let row = |k: usize| &rows[k * n + start..k * n + end];
        let mut k = 0;
        // Four at a time: `out` is read and written a quarter as often.
        while k + 4 <= factors.len() {
            let (f0, f1, f2, f3) = (factors[k], factors[k + 1], factors[k + 2], factors[k + 3]);
            let four = row(k).iter().zip(row(k + 1)).zip(row(k + 2).iter().zip(row(k + 3)));
            for (out, ((a, b), (c, d))) in out.iter_mut().zip(four) {
                *out += f0 * a + f1 * b + f2 * c + f3 * d;
            }
            k += 4;
        }
        for (k, factor) in factors.iter().enumerate().skip(k) {
            for (out, a) in out.iter_mut().zip(row(k)) {
                *out += factor * a;
            }
        }
    }
}

/// The same for a matrix of a few rows.
fn invert_small(a: &mut [f32], n: usize) {
    for k in 0..n {
        let pivot = a[k * n + k].recip();
        a[k * n + k] = 1.0;
        for value in &mut a[k * n..(k + 1) * n] {
            *value *= pivot;
        }
        let row: Vec<f32> = a[k * n..(k + 1) * n].to_vec();
        for (_, other) in a.chunks_exact_mut(n).enumerate().filter(|(i, _)| *i != k) {
            let factor = std::mem::replace(&mut other[k], 0.0);
            for (value, by) in other.iter_mut().zip(&row) {
                *value -= factor * by;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::invert;

    /// Symmetric, with a dominant diagonal.
    fn matrix(n: usize) -> Vec<f32> {
        let entry = |i: usize, j: usize| match i == j {
            true => 8.0 + (i % 5) as f32,
            false => ((i.min(j) * 7 + i.max(j) * 3) % 11) as f32 / (2 * n) as f32,
        };
        (0..n).flat_map(|i| (0..n).map(move |j| entry(i, j))).collect()
    }

    #[test]
    fn the_product_with_the_inverse_is_one() {
        for (n, threads) in [(1, 1), (3, 2), (63, 1), (64, 2), (65, 2), (200, 3), (600, 2)] {
            let a = matrix(n);
            let mut inverse = a.clone();
            invert(&mut inverse, n, threads);
            for i in 0..n {
                for j in 0..n {
                    let product: f32 = (0..n).map(|k| a[i * n + k] * inverse[k * n + j]).sum();
                    let expected = f32::from(u8::from(i == j));
                    assert!((product - expected).abs() < 1e-4, "{n}: {product} at {i}, {j}");
                }
            }
        }
    }
}
