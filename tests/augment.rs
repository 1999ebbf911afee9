//! What augmentation does to pixels, and how often.
//!
//! Would catch: pixels that wrap around the edge, channels taken apart, a flip of the wrong axis, a direction that never comes, a
//! rectangle of the wrong size or place, noise of the wrong size, another bit on another machine.
#![cfg(feature = "rand")]

use constnet::ConstZero as _;
use constnet::data::augment::{cut_out, flip_horizontal, flip_vertical, noise, shift};
use constnet::nalgebra::{SMatrix, SVector};
use rand::{SeedableRng, rngs::Xoshiro128PlusPlus};
use std::collections::BTreeMap;

const H: usize = 5;
const W: usize = 7;
type Picture = [SMatrix<f32, 2, W>; H];

/// Every number of every channel another one, none of them 0.
#[allow(clippy::cast_precision_loss)]
fn picture() -> Picture {
    core::array::from_fn(|row| SMatrix::from_fn(|channel, column| (1 + channel + 2 * (column + W * row)) as f32))
}

/// `of` moved by hand, pixel by pixel.
fn moved(of: &Picture, down: isize, right: isize) -> Picture {
    let at = |row: usize, column: usize, channel: usize| {
        let row = row.checked_add_signed(-down)?;
        let column = column.checked_add_signed(-right)?;
        of.get(row)?.get((channel, column)).copied()
    };
    core::array::from_fn(|row| SMatrix::from_fn(|channel, column| at(row, column, channel).unwrap_or(0.0)))
}

fn rng() -> Xoshiro128PlusPlus {
    Xoshiro128PlusPlus::seed_from_u64(5)
}

/// Every shift is one of those allowed, and each comes as often as the others, within five standard deviations.
#[test]
fn shifts() {
    let (original, mut rng) = (picture(), rng());
    let mut counts = BTreeMap::new();
    let all: Vec<_> = (-1..=1).flat_map(|down| (-2..=2).map(move |right| (down, right))).collect();
    for _ in 0..3000 {
        let mut x = original;
        shift(&mut x, 1, 2, &mut rng);
        let found = all.iter().find(|(down, right)| moved(&original, *down, *right) == x).expect("a shift");
        *counts.entry(found).or_insert(0_i32) += 1;
    }
    assert_eq!(counts.len(), 15);
    assert!(counts.values().all(|count| (count - 200).abs() < 71), "{counts:?}");
}

/// Not at all, and further than the picture is large.
#[test]
fn shifts_at_the_edge() {
    let (original, mut rng) = (picture(), rng());
    let mut x = original;
    shift(&mut x, 0, 0, &mut rng);
    assert_eq!(x, original);
    for _ in 0..50 {
        let mut x = original;
        shift(&mut x, 100, usize::MAX, &mut rng);
        let shifts = (-5..=5).flat_map(|down| (-7..=7).map(move |right| (down, right)));
        assert!(shifts.into_iter().any(|(down, right)| moved(&original, down, right) == x), "{x:?}");
    }
}

/// Pixels change places, channels stay together, about half of the time.
#[test]
fn flips() {
    let (original, mut rng) = (picture(), rng());
    let horizontal: Picture = original.map(|row| SMatrix::from_fn(|channel, column| row[(channel, W - 1 - column)]));
    let vertical: Picture = core::array::from_fn(|row| original[H - 1 - row]);
    let mut counts = [0_i32; 2];
    for _ in 0..10_000 {
        let (mut x, mut y) = (original, original);
        flip_horizontal(&mut x, &mut rng);
        flip_vertical(&mut y, &mut rng);
        assert!(x == original || x == horizontal, "{x:?}");
        assert!(y == original || y == vertical, "{y:?}");
        counts[0] += i32::from(x == horizontal);
        counts[1] += i32::from(y == vertical);
    }
    assert!(counts.iter().all(|count| (count - 5000).abs() < 250), "{counts:?}");
}

/// Mean 0, the deviation asked for, and a normal distribution's share within one and two of them.
#[test]
fn noise_is_normal() {
    let mut rng = rng();
    let mut distances = Vec::new();
    for _ in 0..400 {
        let mut x = SVector::<f64, 100>::repeat(3.0);
        noise(&mut x, 0.25, &mut rng);
        distances.extend(x.iter().map(|x| (x - 3.0) / 0.25));
    }
    let share = |limit: f64| {
        let within = distances.iter().filter(|distance| distance.abs() < limit).count();
        f64::from(u32::try_from(within).expect("few")) / 40_000.0
    };
    let mean = distances.iter().sum::<f64>() / 40_000.0;
    let variance = distances.iter().map(|distance| distance * distance).sum::<f64>() / 40_000.0;
    assert!(mean.abs() < 0.025, "{mean}");
    assert!((variance - 1.0).abs() < 0.04, "{variance}");
    assert!((share(1.0) - 0.6827).abs() < 0.012, "{}", share(1.0));
    assert!((share(2.0) - 0.9545).abs() < 0.006, "{}", share(2.0));
    let mut still = picture();
    noise(&mut still, 0.0, &mut rng);
    assert_eq!(still, picture());
}

/// A rectangle of zeros around each pixel equally often, cut by the edge, and nothing else changed.
#[test]
fn rectangles() {
    let (original, mut rng) = (picture(), rng());
    let cut = |top: usize, left: usize| -> Picture {
        let (rows, columns) = (top.saturating_sub(1)..top + 2, left.saturating_sub(2)..left + 2);
        let is_cut = |row: &usize, column: &usize| rows.contains(row) && columns.contains(column);
        core::array::from_fn(|row| {
            SMatrix::from_fn(
                |channel, column| {
                    if is_cut(&row, &column) { 0.0 } else { original[row][(channel, column)] }
                },
            )
        })
    };
    let mut counts = [[0_i32; W]; H];
    for _ in 0..7000 {
        let mut x = original;
        cut_out(&mut x, 3, 4, &mut rng);
        let all = (0..H).flat_map(|top| (0..W).map(move |left| (top, left)));
        let mut found = all.into_iter().filter(|(top, left)| cut(*top, *left) == x);
        let (top, left) = found.next().expect("a rectangle");
        assert_eq!(found.next(), None);
        counts[top][left] += 1;
    }
    assert!(counts.as_flattened().iter().all(|count| (count - 200).abs() < 71), "{counts:?}");
    for (height, width) in [(0, 4), (3, 0)] {
        let mut x = original;
        cut_out(&mut x, height, width, &mut rng);
        assert_eq!(x, original);
    }
    let mut x = original;
    cut_out(&mut x, 100, usize::MAX / 2, &mut rng);
    assert_eq!(x, Picture::ZERO);
}

/// The bits that one machine gave.
#[test]
fn the_same_bits_everywhere() {
    let (mut x, mut rng) = (picture(), rng());
    shift(&mut x, 2, 2, &mut rng);
    flip_horizontal(&mut x, &mut rng);
    flip_vertical(&mut x, &mut rng);
    noise(&mut x, 0.1, &mut rng);
    cut_out(&mut x, 2, 2, &mut rng);
    let sum = x.iter().flat_map(|row| row.iter()).fold(0_u32, |sum, x| sum.rotate_left(5) ^ x.to_bits());
    assert_eq!(sum, 3_802_987_835);
}
