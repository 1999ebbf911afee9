//! A layer with one chosen fault in its backward pass: `y = scale * x`, one scale for each number.

use constnet::layer::{Both, Differentiable, Gradient, Layer, Parameter, Parameters, Path, Role};
use constnet::nalgebra::SVector;
use constnet::{ConstZero, Vector};

/// What is wrong with a [`Faulty`].
pub(crate) struct Fault;

impl Fault {
    /// Nothing.
    pub(crate) const NONE: u8 = 0;
    /// The gradient of the inputs has the wrong sign.
    pub(crate) const INPUTS: u8 = 1;
    /// The gradient of the parameters is twice what it is.
    pub(crate) const PARAMETERS: u8 = 2;
    /// It is wrong where the gradient of the inputs is not asked for.
    pub(crate) const PARAMETERS_ALONE: u8 = 3;
    /// The last sample of a batch has no part in the gradient.
    pub(crate) const ONE_SAMPLE: u8 = 4;
    /// The gradient of the inputs is wrong by a hundred thousandth.
    pub(crate) const SLIGHT: u8 = 5;
    /// The gradient of the parameters is NaN.
    pub(crate) const NAN: u8 = 6;
    /// The gradient of the parameters is overwritten, not added to.
    pub(crate) const OVERWRITES: u8 = 7;
    /// The gradient of the inputs is added to, not overwritten.
    pub(crate) const ADDS: u8 = 8;
    /// The gradient of the parameters is added to, where it is to be overwritten.
    pub(crate) const NEVER_OVERWRITES: u8 = 9;
    /// Any gradient of the parameters is said to be finite.
    pub(crate) const ALWAYS_FINITE: u8 = 10;
    /// The gradient of the parameters is left as it is.
    pub(crate) const NOTHING_WRITTEN: u8 = 11;
}

#[derive(Debug)]
pub(crate) struct Faulty<const FAULT: u8> {
    scale: SVector<f64, 3>,
}

impl<const FAULT: u8> ConstZero for Faulty<FAULT> {
    const ZERO: Self = Self { scale: ConstZero::ZERO };
}

impl<const FAULT: u8> Parameters<f64> for Faulty<FAULT> {
    const COUNT: usize = 3;

    fn visit_at(&self, path: Path<'_>, f: &mut impl FnMut(&Parameter<'_>, &[f64])) {
        f(&scale(path), self.scale.as_slice());
    }

    fn zip_at<const N: usize>(
        all: [&mut Self; N],
        path: Path<'_>,
        f: &mut impl FnMut(&Parameter<'_>, [&mut [f64]; N]),
    ) {
        f(&scale(path), all.map(|layer| layer.scale.as_mut_slice()));
    }
}

fn scale(path: Path<'_>) -> Parameter<'_> {
    Parameter { path, name: "scale", role: Role::Weight { fan_in: 1, fan_out: 1 }, shape: &[3], order: &[0] }
}

impl<const FAULT: u8> Layer<Vector<3>, f64> for Faulty<FAULT> {
    type Out = Vector<3>;
    type Peak<X, Y> = Both<X, Y>;

    fn forward(&self, x: &SVector<f64, 3>, y: &mut SVector<f64, 3>) {
        *y = self.scale.component_mul(x);
    }
}

impl<const FAULT: u8> Differentiable<Vector<3>, f64> for Faulty<FAULT> {
    type Cache<const B: usize> = ();

    fn backward<const B: usize, const ADDS: bool>(
        &self,
        x: &[SVector<f64, 3>; B],
        _: &[SVector<f64, 3>; B],
        (): &mut (),
        dy: &[SVector<f64, 3>; B],
        gradient: Gradient<'_, Self, ADDS>,
        dx: Option<&mut [SVector<f64, 3>; B]>,
    ) {
        if FAULT == Fault::ALWAYS_FINITE {
            gradient.mark_finite();
        }
        let gradient = match FAULT {
            Fault::NEVER_OVERWRITES | Fault::NOTHING_WRITTEN => gradient.add_or_overwrite(),
            Fault::OVERWRITES => {
                let gradient = gradient.add_or_overwrite();
                gradient.scale.fill(0.0);
                gradient
            }
            _ => gradient.to_add(),
        };
        let samples = if FAULT == Fault::ONE_SAMPLE { x.len() - 1 } else { x.len() };
        let times = match FAULT {
            Fault::PARAMETERS => 2.0,
            Fault::NAN => f64::NAN,
            _ => 1.0,
        };
        if FAULT != Fault::NOTHING_WRITTEN {
            for (x, dy) in x.iter().zip(dy).take(samples) {
                gradient.scale += x.component_mul(dy) * times;
            }
        }
        let Some(dx) = dx else {
            if FAULT == Fault::PARAMETERS_ALONE {
                gradient.scale[0] += 1.0;
            }
            return;
        };
        let times = match FAULT {
            Fault::INPUTS => -1.0,
            Fault::SLIGHT => 1.00001,
            _ => 1.0,
        };
        for (dy, dx) in dy.iter().zip(dx) {
            let before = if FAULT == Fault::ADDS { *dx } else { SVector::zeros() };
            *dx = before + self.scale.component_mul(dy) * times;
        }
    }
}
