use core::fmt::Debug;

/// `NUMERATOR / DENOMINATOR`, how far running averages go towards each new batch. By itself PyTorch's 0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Momentum<const NUMERATOR: usize = 1, const DENOMINATOR: usize = 10>;

/// A [`Momentum`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a momentum of running averages",
    label = "not a momentum",
    note = "it stands between the epsilon and the scalar: `BatchNorm<16, Epsilon, Momentum, f64>`, or `Momentum<1, 100>` for 0.01"
)]
pub trait IsMomentum: Debug + Clone + Copy + PartialEq + Send + Sync + 'static {
    /// Its value.
    const VALUE: f64;
}

impl<const NUMERATOR: usize, const DENOMINATOR: usize> IsMomentum for Momentum<NUMERATOR, DENOMINATOR> {
    #[allow(clippy::cast_precision_loss)]
    const VALUE: f64 = {
        assert!(
            NUMERATOR <= DENOMINATOR && DENOMINATOR > 0,
            "a momentum of running averages is at most 1: write `Momentum<1, 10>` for 0.1"
        );
        NUMERATOR as f64 / DENOMINATOR as f64
    };
}
