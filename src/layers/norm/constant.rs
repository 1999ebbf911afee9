use core::fmt::Debug;

/// `NUMERATOR / DENOMINATOR`, what a normalisation adds to a variance so that it divides by no 0. By itself 1e-5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Epsilon<const NUMERATOR: usize = 1, const DENOMINATOR: usize = 100_000>;

/// An [`Epsilon`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an epsilon",
    label = "not an epsilon",
    note = "what a normalisation adds to a variance stands before the scalar: `LayerNorm<16, Epsilon, f64>`, or `Epsilon<1, 1000>` for 0.001"
)]
pub trait IsEpsilon: Debug + Clone + Copy + PartialEq + Send + Sync + 'static {
    /// Its value.
    const VALUE: f64;
}

impl<const NUMERATOR: usize, const DENOMINATOR: usize> IsEpsilon for Epsilon<NUMERATOR, DENOMINATOR> {
    #[allow(clippy::cast_precision_loss)]
    const VALUE: f64 = {
        assert!(NUMERATOR > 0 && DENOMINATOR > 0, "an epsilon is above 0: write `Epsilon<1, 100_000>` for 1e-5");
        NUMERATOR as f64 / DENOMINATOR as f64
    };
}
