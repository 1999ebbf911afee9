//! twin: places
//! error: layer `GlobalMaxPool` does not take an input of shape `Vector<2>` (of `f32`)
use constnet::{GlobalAvgPool, GlobalMaxPool, Image, Last, Network, Sequence, Upsample, Vector};
use core::marker::PhantomData;

type Picture = Image<2, 4, 4>;
type Signal = Sequence<2, 4>;
type Row = Vector<2>;

type Averaged = Network<Picture, (GlobalAvgPool,)>;
type Greatest = Network<Row, (GlobalMaxPool,)>;
type Larger = Network<Picture, (Upsample<2>,)>;
type Latest = Network<Signal, (Last,)>;

fn main() {
    let _ = (Averaged::ZERO, Greatest::ZERO, Larger::ZERO, Latest::ZERO, PhantomData::<Row>);
}
