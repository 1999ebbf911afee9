//! twin: places
//! error: a size of a layer is 0: every size is 1 or above
use constnet::{GlobalAvgPool, GlobalMaxPool, Image, Last, Network, Sequence, Upsample, Vector};
use core::marker::PhantomData;

type Picture = Image<2, 4, 4>;
type Signal = Sequence<2, 4>;
type Row = Vector<2>;

type Averaged = Network<Picture, (GlobalAvgPool,)>;
type Greatest = Network<Signal, (GlobalMaxPool,)>;
type Larger = Network<Picture, (Upsample<0>,)>;
type Latest = Network<Signal, (Last,)>;

fn main() {
    let _ = (Averaged::ZERO, Greatest::ZERO, Larger::ZERO, Latest::ZERO, PhantomData::<Row>);
}
