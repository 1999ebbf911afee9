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
    clear_upper_halves();
    let start = Instant::now();
    let done = run(count);
    1e9 * start.elapsed().as_secs_f64() / done as f64
}

/// Some of the frameworks leave numbers in the upper halves of the vector registers. Until these are cleared, each instruction of SSE
/// waits for the one before that wrote to the same register: what a plain build computes next takes up to three times as long.
pub(crate) fn clear_upper_halves() {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx") {
        #[target_feature(enable = "avx")]
        fn clear() {
            std::arch::x86_64::_mm256_zeroupper();
        }
        // SAFETY: the processor has AVX.
        unsafe { clear() };
    }
}

/// The median; of an even number of values the greater of the two in the middle. Infinite without any.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::INFINITY)
}
