//! Time.

use std::time::{Duration, Instant};

/// How many calls take about `least`, as `run(count)` counts them.
pub fn calibrate(least: Duration, mut run: impl FnMut(usize) -> usize) -> usize {
    let mut count = 1;
    loop {
        let start = Instant::now();
        let done = run(count);
        let time = start.elapsed();
        if time >= least {
            return done;
        }
        let missing = least.as_secs_f64() / time.as_secs_f64().max(1e-9);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let factor = (1.1 * missing).clamp(1.2, 16.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let more = (done as f64 * factor).ceil() as usize;
        count = more;
    }
}

/// Nanoseconds of one call, of `count` or some more in a row.
pub fn nanoseconds(count: usize, mut run: impl FnMut(usize) -> usize) -> f64 {
    let start = Instant::now();
    let done = run(count);
    1e9 * start.elapsed().as_secs_f64() / done as f64
}

/// The median; of an even number of values the greater of the two in the middle. Infinite without any.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::INFINITY)
}
