use crate::layer::{Both, Differentiable, Gradient, Layer, Role, tensors};
use crate::scalar::{Element, Scalar};
use crate::shape::{Sequence, TensorOf, Tokens, Vector};
use crate::streaming::Streaming;

/// A vector for each token of a vocabulary: rows of a table that is learned. PyTorch's `nn.Embedding`.
///
/// ```text
/// y_t = weight[x_t]
/// ```
///
/// `N` and `D` are PyTorch's `num_embeddings` and `embedding_dim`. The same as a [`Dense`](crate::Dense) layer without bias on
/// one-hot vectors, without their zeros.
///
/// # Shapes
/// `Tokens<N, L>` to `Sequence<D, L>`. A token is a [`Class<N>`](crate::Class), checked when it is made, so none is out of the
/// table. [Token by token](crate::streaming), each to `Vector<D>`.
///
/// # Cost
/// A copy of `D` numbers for each token; `N * D` parameters; no cache.
///
/// # Example
/// ```
/// use constnet::{Class, Embedding, Network, Tokens};
///
/// type Net = Network<Tokens<3, 4>, (Embedding<3, 2>,)>;
/// static NET: Net = Net::new((Embedding::new([[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]),));
/// let y = NET.predict(&[1, 0, 2, 1].map(Class::const_new));
/// assert_eq!(y.as_slice(), [1.0, 1.5, 0.0, 0.5, 2.0, 2.5, 1.0, 1.5]);
/// ```
///
/// # Reference
/// Bengio and others (2003), "A neural probabilistic language model". PyTorch draws the table from a normal distribution of
/// variance 1, which `Init::LecunNormal` does here; the default is narrower.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding<const N: usize, const D: usize, T = f32> {
    /// The table: a row for each token.
    pub weight: [[T; D]; N],
}

impl<const N: usize, const D: usize, T> Embedding<N, D, T> {
    /// The layer with this table.
    pub const fn new(weight: [[T; D]; N]) -> Self {
        Self { weight }
    }
}

tensors! {
    [const N: usize, const D: usize, T: Element] Embedding<N, D, T> => T, "Embedding" [N, D]
    0 weight "weight": [[T; D]; N], Role::Weight { fan_in: 1, fan_out: D }, [N, D] by [0, 1];
}

impl<const N: usize, const D: usize, const L: usize, T: Scalar> Layer<Tokens<N, L>, T> for Embedding<N, D, T> {
    type Out = Sequence<D, L>;
    type Peak<X, Y> = Both<X, Y>;

    #[inline]
    fn forward(&self, x: &TensorOf<Tokens<N, L>, T>, y: &mut TensorOf<Sequence<D, L>, T>) {
        for (token, y) in x.iter().zip(&mut y.data.0) {
            if let Some(row) = self.weight.get(token.index()) {
                *y = *row;
            }
        }
    }
}

/// One token at a time.
impl<const N: usize, const D: usize, T: Scalar> Streaming<Tokens<N, 1>, T> for Embedding<N, D, T> {
    type Out = Vector<D>;
    type State = ();

    #[inline]
    fn step(&self, (): &mut (), [token]: &TensorOf<Tokens<N, 1>, T>, y: &mut TensorOf<Vector<D>, T>) {
        if let (Some(row), [y]) = (self.weight.get(token.index()), &mut y.data.0) {
            *y = *row;
        }
    }
}

impl<const N: usize, const D: usize, const L: usize, T: Scalar> Differentiable<Tokens<N, L>, T> for Embedding<N, D, T> {
    type Cache<const B: usize> = ();

    /// Tokens have no gradient.
    #[inline]
    fn backward<const B: usize, const ADDS: bool>(
        &self,
        x: &[TensorOf<Tokens<N, L>, T>; B],
        _: &[TensorOf<Sequence<D, L>, T>; B],
        (): &mut (),
        dy: &[TensorOf<Sequence<D, L>, T>; B],
        gradient: Gradient<'_, Self, ADDS>,
        _: Option<&mut [TensorOf<Tokens<N, L>, T>; B]>,
    ) {
        let gradient = gradient.to_add();
        for (x, dy) in x.iter().zip(dy) {
            for (token, dy) in x.iter().zip(&dy.data.0) {
                let Some(row) = gradient.weight.get_mut(token.index()) else { continue };
                for (d, &dy) in row.iter_mut().zip(dy) {
                    *d += dy;
                }
            }
        }
    }
}
