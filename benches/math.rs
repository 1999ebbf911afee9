//! The functions of `constnet::math` over a slice, beside those of `libm` and of `std`: `cargo bench --bench math`. See
//! `benches/README.md`.

use constnet::math;
use criterion::{Criterion, Throughput};
use std::hint::black_box;
use std::time::Duration;

/// A slice that fits the first cache.
const N: usize = 1024;

/// Reports `f` over [`N`] numbers from `from` to `to`; criterion's throughput is numbers a second.
fn time(criterion: &mut Criterion, name: &str, library: &str, (from, to): (f32, f32), f: impl Fn(f32) -> f32) {
    #[allow(clippy::cast_precision_loss)]
    // In no order, so that a branch cannot be foretold.
    let x: Vec<f32> = (0..N).map(|i| from + (to - from) * ((i * 619) % N) as f32 / N as f32).collect();
    let mut y = vec![0.0; N];
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(N as u64));
    group.bench_function(library, |bencher| {
        bencher.iter(|| {
            for (&x, y) in black_box(&x).iter().zip(&mut y) {
                *y = f(x);
            }
            black_box(&mut y);
        });
    });
    group.finish();
}

macro_rules! functions {
    ($criterion:ident, $($name:ident $range:expr => $libm:expr $(, $std:expr)?;)+) => { $(
        time($criterion, stringify!($name), "constnet", $range, math::$name);
        time($criterion, stringify!($name), "libm", $range, $libm);
        $( time($criterion, stringify!($name), "std", $range, $std); )?
    )+ };
}

fn all(criterion: &mut Criterion) {
    functions!(criterion,
        exp (-10.0, 10.0) => libm::expf, f32::exp;
        exp_m1 (-10.0, 10.0) => libm::expm1f, f32::exp_m1;
        ln (0.001, 1000.0) => libm::logf, f32::ln;
        ln_1p (-0.99, 10.0) => libm::log1pf, f32::ln_1p;
        tanh (-4.0, 4.0) => libm::tanhf, f32::tanh;
        sigmoid (-10.0, 10.0) => |x| 1.0 / (1.0 + libm::expf(-x)), |x| 1.0 / (1.0 + (-x).exp());
        erf (-4.0, 4.0) => libm::erff;
    );
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .configure_from_args();
    all(&mut criterion);
    criterion.final_summary();
}
