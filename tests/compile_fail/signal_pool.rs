//! twin: signals
//! error: `Stride<1, 2>` is for images: a signal's stride is `Stride<S>`, its dilation `Dilation<D>`, one number
use constnet::shape::TensorOf;
use constnet::{
    Bidirectional, ConstZero, Conv1d, ConvTranspose1d, GlobalAvgPool, Gru, MaxPool1d, Network, Sequence, Stride,
};

type Halved = Network<Sequence<2, 8>, (Conv1d<2, 4, 3, Stride<2>>, MaxPool1d<2, Stride<1, 2>>)>;
type Longer = Network<Sequence<2, 8>, (ConvTranspose1d<2, 3, 2, Stride<2>>,)>;
type Both = Network<Sequence<2, 8>, (Bidirectional<Gru<2, 3>>,)>;
type Steps = Sequence<2, 8>;

const _: [(); 4] = [Halved::CHECK, Longer::CHECK, Both::CHECK, Network::<Steps, (GlobalAvgPool,)>::CHECK];

fn main() {
    let x = TensorOf::<Sequence<2, 8>, f32>::ZERO;
    let all = TensorOf::<Steps, f32>::ZERO;
    let _ = (Halved::ZERO.predict(&x), Longer::ZERO.predict(&x), Both::ZERO.predict(&x));
    let _ = Network::<Steps, (GlobalAvgPool,)>::ZERO.predict(&all);
}
