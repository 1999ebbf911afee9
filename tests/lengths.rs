//! The type arithmetic on lengths, against the arithmetic of numbers.
//!
//! Would catch: an entry of the tables that is missing, doubled or wrong, a window's formula that is not PyTorch's or Keras's, and
//! limits that are not the documented ones.

use constnet::shape::Shape;
use constnet::shape::length::{Extent, Known, Len, Plus, SharedBy, Times, Volume};
use constnet::shape::window::{Causal, Pad, Same, To, Valid, Window};
use constnet::typenum::Unsigned;

/// The length in and the length out of every entry: `Len<N>` times 1 goes through both tables.
fn entry<const N: usize>()
where
    Len<N>: Known + Times<1>,
    <Len<N> as Known>::Number: Unsigned,
{
    assert_eq!(<<Len<N> as Known>::Number as Unsigned>::USIZE, N);
    assert_eq!(<<Len<N> as Times<1>>::Output as Extent>::LEN, N);
    assert_eq!(<<<Len<N> as Times<1>>::Output as Extent>::Vector as Shape>::LEN, N);
}

macro_rules! entries {
    ($($n:literal)+) => { $(entry::<$n>();)+ };
}

#[test]
fn every_block_begins_and_ends_where_it_should() {
    entries!(
        0 1 2 3 7 8 63 64 126 127 128 129 255 256 257 383 384 511 512 513 639 640 767 768 895 896 1000 1023 1024 1025 1151 1152
        1279 1280 1407 1408 1535 1536 1663 1664 1791 1792 1919 1920 2000 2046 2047 2048
    );
    #[cfg(feature = "long")]
    entries!(
        2049 2050 2175 2176 3000 3071 3072 3968 3969 4094 4095 4096 4104 4216 4224 5000 8000 8192 10000 12800 16000 16128 16368
        16376
    );
}

/// A product, and the shapes that are made of it.
fn product<const A: usize, const B: usize, const C: usize>()
where
    Len<A>: Volume<B, C>,
{
    assert_eq!(<<Len<A> as Volume<B, C>>::Output as Extent>::LEN, A * B * C, "{A} x {B} x {C}");
}

#[test]
fn products_reach_the_documented_limit() {
    product::<3, 32, 32>(); // A picture of CIFAR's.
    product::<1, 64, 64>();
    product::<64, 8, 8>();
    product::<1, 28, 28>();
    product::<512, 3, 3>();
    product::<17, 7, 43>(); // 5,117
    product::<1, 1, 2048>();
    product::<0, 5, 5>();
    assert_eq!(<<Len<2048> as Times<2>>::Output as Extent>::LEN, 4096);
    assert_eq!(<<Len<1706> as Times<3>>::Output as Extent>::LEN, 5118);
    assert_eq!(<<Len<2048> as Plus<2048>>::Output as Extent>::LEN, 4096);
    #[cfg(feature = "long")]
    {
        product::<3, 64, 64>();
        product::<1, 127, 129>(); // 16,383
        assert_eq!(<<Len<4096> as Times<3>>::Output as Extent>::LEN, 12288);
        assert_eq!(<<Len<16000> as Plus<383>>::Output as Extent>::LEN, 16383);
    }
}

fn shared<const A: usize, const B: usize>()
where
    Len<A>: SharedBy<B>,
{
    assert_eq!(A % B, 0);
}

#[test]
fn what_divides_evenly() {
    shared::<16, 4>();
    shared::<16, 1>();
    shared::<16, 16>();
    shared::<0, 3>();
    shared::<2048, 128>();
}

/// All paddings of one window, against their formulas.
fn window<const N: usize, const K: usize, const S: usize, const D: usize, const P: usize, const OUT: usize>()
where
    Len<N>: Window<Valid, K, S, D>
        + Window<Same, K, S, D>
        + Window<Causal, K, S, D>
        + Window<Pad<P, P>, K, S, D>
        + Window<To<OUT, OUT>, K, S, D>,
{
    let what = format!("{N}: a window of {K}, stride {S}, dilation {D}");
    let span = (K - 1) * D + 1;
    let valid = (N - span) / S + 1;
    assert_eq!(<<Len<N> as Window<Valid, K, S, D>>::Output as Extent>::LEN, valid, "{what}");
    assert_eq!(<Len<N> as Window<Valid, K, S, D>>::BEFORE, 0, "{what}");
    assert_eq!(<<Len<N> as Window<To<OUT, OUT>, K, S, D>>::Output as Extent>::LEN, valid, "{what}");
    assert_eq!(<Len<N> as Window<To<OUT, OUT>, K, S, D>>::BEFORE, 0, "{what}");
    let padded = (N + 2 * P - span) / S + 1;
    assert_eq!(<<Len<N> as Window<Pad<P, P>, K, S, D>>::Output as Extent>::LEN, padded, "{what}, padding {P}");
    assert_eq!(<Len<N> as Window<Pad<P, P>, K, S, D>>::BEFORE, P, "{what}");
    let strides = N.div_ceil(S);
    let missing = ((strides - 1) * S + span).saturating_sub(N); // TensorFlow's formula.
    assert_eq!(<<Len<N> as Window<Same, K, S, D>>::Output as Extent>::LEN, strides, "{what}, same");
    assert_eq!(<Len<N> as Window<Same, K, S, D>>::BEFORE, missing / 2, "{what}, same");
    assert_eq!(<<Len<N> as Window<Causal, K, S, D>>::Output as Extent>::LEN, strides, "{what}, causal");
    assert_eq!(<Len<N> as Window<Causal, K, S, D>>::BEFORE, span - 1, "{what}, causal");
}

#[test]
fn windows() {
    window::<28, 3, 1, 1, 1, 26>();
    window::<28, 2, 2, 1, 0, 14>();
    window::<7, 3, 2, 1, 1, 3>();
    window::<8, 3, 2, 1, 1, 3>();
    window::<9, 3, 3, 1, 2, 3>();
    window::<12, 3, 1, 2, 4, 8>();
    window::<1, 1, 1, 1, 0, 1>();
    window::<1, 1, 5, 7, 3, 1>();
    window::<5, 5, 1, 1, 2, 1>();
    window::<5, 3, 4, 2, 1, 1>();
    window::<96, 3, 2, 1, 1, 47>();
    window::<49, 10, 2, 1, 5, 20>();
    window::<1000, 9, 4, 1, 4, 248>();
    window::<2048, 64, 16, 1, 32, 125>();
    #[cfg(feature = "long")]
    {
        window::<16000, 10, 4, 1, 3, 3998>();
        window::<4000, 3, 1, 512, 512, 2976>();
    }
}

/// Lengths that no table knows, where what comes out is stated.
#[test]
fn stated_lengths_have_no_limit() {
    assert_eq!(<<Len<48_000> as Window<To<47_991>, 10, 1, 1>>::Output as Extent>::LEN, 47_991);
    assert_eq!(<Len<48_000> as Window<To<47_991>, 10, 1, 1>>::BEFORE, 0);
}
