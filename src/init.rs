//! Where training starts: the distributions that parameters are drawn from.

use crate::feature::Rng;
use crate::layer::Role;
use crate::scalar::Scalar;

/// A rule for the first parameters. Biases are 0 unless a rule says otherwise; normalisation starts as it does in PyTorch,
/// with scales and running variances of 1.
///
/// Draws use the generator's integers, `f64` arithmetic and `libm` only: the same seed gives the same bits on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Init {
    /// Every parameter 0.
    Zeros,
    /// Uniform within `sqrt(6 / (fan_in + fan_out))`, the default. Glorot & Bengio (2010), eq. 16; PyTorch's
    /// `xavier_uniform_`, Keras's `glorot_uniform`.
    #[default]
    XavierUniform,
    /// Normal, variance `2 / (fan_in + fan_out)`. PyTorch's `xavier_normal_`.
    XavierNormal,
    /// Uniform within `sqrt(6 / fan_in)`, for layers followed by ReLU. He and others (2015); PyTorch's
    /// `kaiming_uniform_(nonlinearity="relu")`.
    KaimingUniform,
    /// Normal, variance `2 / fan_in`. PyTorch's `kaiming_normal_(nonlinearity="relu")`.
    KaimingNormal,
    /// Uniform within `sqrt(3 / fan_in)`. LeCun and others (1998); Keras's `lecun_uniform`.
    LecunUniform,
    /// Normal, variance `1 / fan_in`. LeCun and others (1998).
    LecunNormal,
    /// Uniform within `sqrt(1 / fan_in)`, weights and biases: what PyTorch's `nn.Linear` does by itself.
    TorchDefault,
}

impl Init {
    /// Overwrites a tensor of parameters.
    pub fn fill<T: Scalar, R: Rng + ?Sized>(self, role: Role, values: &mut [T], rng: &mut R) {
        let spread = match role {
            Role::Weight { fan_in, fan_out } => self.weight(fan_in, fan_out),
            Role::Bias { fan_in } if self == Self::TorchDefault => Spread::Uniform(libm::sqrt(1.0 / size(fan_in))),
            Role::Bias { .. } | Role::Shift | Role::RunningMean => Spread::Zero,
            Role::Scale | Role::RunningVariance => return values.fill(T::ONE),
        };
        match spread {
            Spread::Zero => values.fill(T::ZERO),
            Spread::Uniform(bound) => values.fill_with(|| T::from_f64((2.0 * uniform(rng) - 1.0) * bound)),
            Spread::Normal(deviation) => values.fill_with(|| T::from_f64(normal(rng) * deviation)),
        }
    }

    fn weight(self, fan_in: usize, fan_out: usize) -> Spread {
        let (fan_in, fan_sum) = (size(fan_in), size(fan_in + fan_out));
        match self {
            Self::Zeros => Spread::Zero,
            Self::XavierUniform => Spread::Uniform(libm::sqrt(6.0 / fan_sum)),
            Self::XavierNormal => Spread::Normal(libm::sqrt(2.0 / fan_sum)),
            Self::KaimingUniform => Spread::Uniform(libm::sqrt(6.0 / fan_in)),
            Self::KaimingNormal => Spread::Normal(libm::sqrt(2.0 / fan_in)),
            Self::LecunUniform => Spread::Uniform(libm::sqrt(3.0 / fan_in)),
            Self::LecunNormal => Spread::Normal(libm::sqrt(1.0 / fan_in)),
            Self::TorchDefault => Spread::Uniform(libm::sqrt(1.0 / fan_in)),
        }
    }
}

/// A distribution around 0.
enum Spread {
    Zero,
    /// Within this bound.
    Uniform(f64),
    /// With this standard deviation.
    Normal(f64),
}

/// A fan as a number; 1 where there is none.
#[allow(clippy::cast_precision_loss)]
fn size(fan: usize) -> f64 {
    fan.max(1) as f64
}

/// Uniform in `[0, 1)`, in steps of `2^-53`.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn uniform<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Standard normal, by Marsaglia's polar method. Not `rand_distr`'s, whose logarithm is the platform's and differs in the
/// last bit between machines.
pub(crate) fn normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    loop {
        let (u, v) = (2.0 * uniform(rng) - 1.0, 2.0 * uniform(rng) - 1.0);
        let s = u * u + v * v;
        if s > 0.0 && s < 1.0 {
            return u * libm::sqrt(-2.0 * libm::log(s) / s);
        }
    }
}
