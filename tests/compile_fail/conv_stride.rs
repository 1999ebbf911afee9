//! twin: images
//! error: a window of 3 with stride 0, dilation 1 and padding `Same` does not fit `Len<8>`
use constnet::nalgebra::SMatrix;
use constnet::{
    AvgPool2d, Causal, Conv1d, Conv2d, ConvTranspose2d, Dense, DepthwiseConv2d, Dilation, Flatten, FlattenTo,
    GlobalAvgPool, Image, MaxPool2d, Network, OutputPadding, Pad, Relu, Same, Sequence, Stride, To, Upsample,
};

type Lenet =
    Network<Image<1, 28, 28>, (Conv2d<1, 6, 5>, Relu, MaxPool2d<2>, Conv2d<6, 16, 5>, Flatten, Dense<1024, 10>)>;
type Padded =
    Network<Image<3, 8, 8>, (Conv2d<3, 8, 3, 3, Stride<0>, Same, Dilation<1>>, AvgPool2d<2, 2, Stride<2>, Pad<1>>)>;
type Deep = Network<Image<8, 6, 6>, (Conv2d<8, 4, 1>, MaxPool2d<2>, DepthwiseConv2d<4, 3>, GlobalAvgPool)>;
type Wide = Network<Image<1, 4, 4>, (ConvTranspose2d<1, 2, 3, 3, Stride<2>, Pad<1>, OutputPadding<1>>, Upsample<2>)>;
type Signal = Network<Sequence<6, 100>, (Conv1d<6, 8, 5, Stride, Causal, Dilation<2>>, GlobalAvgPool)>;
type Stated = Network<Image<3, 90, 90>, (Conv2d<3, 2, 3, 3, Stride, To<88>>, FlattenTo<15_488>)>;

const _: [(); 6] = [Lenet::CHECK, Padded::CHECK, Deep::CHECK, Wide::CHECK, Signal::CHECK, Stated::CHECK];

fn main() {
    let logits = Lenet::ZERO.predict(&[SMatrix::<f32, 1, 28>::zeros(); 28]);
    let padded = Padded::ZERO.predict(&[SMatrix::<f32, 3, 8>::zeros(); 8]);
    let deep = Deep::ZERO.predict(&[SMatrix::<f32, 8, 6>::zeros(); 6]);
    let wide = Wide::ZERO.predict(&[SMatrix::<f32, 1, 4>::zeros(); 4]);
    let signal = Signal::ZERO.predict(&SMatrix::<f32, 6, 100>::zeros());
    let stated = Stated::ZERO.predict(&[SMatrix::<f32, 3, 90>::zeros(); 90]);
    let _ = (logits, padded, deep, wide, signal, stated);
}
