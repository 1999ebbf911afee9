//! Latency is a distribution: each prediction by itself, with a look at the clock before and after.

use crate::clock::clear_upper_halves;
use crate::nets::{Examples, Net};
use crate::peer::{Peer, TIMED_RATE};
use crate::peers;
use std::hint::black_box;
use std::time::Instant;

/// The times of single predictions, in nanoseconds, the clock's own included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distribution {
    /// Half are as fast or faster.
    pub median: u64,
    /// All but one in a hundred.
    pub p99: u64,
    /// All but one in a thousand.
    pub p999: u64,
    /// The slowest.
    pub greatest: u64,
}

impl Distribution {
    fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        let at = |share: f64| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let place = (share * (times.len() - 1) as f64).round() as usize;
            times.get(place).copied().unwrap_or(0)
        };
        Self { median: at(0.5), p99: at(0.99), p999: at(0.999), greatest: at(1.0) }
    }
}

fn timed(count: usize, mut run: impl FnMut(usize)) -> Distribution {
    let mut times = Vec::with_capacity(count);
    for i in 0..count {
        let start = Instant::now();
        run(i);
        times.push(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    Distribution::of(times)
}

/// What the clock says of nothing.
#[must_use]
pub fn clock(count: usize) -> Distribution {
    timed(count, |i| {
        black_box(i);
    })
}

/// `count` predictions by each peer that has the network, after some to warm up.
#[must_use]
pub fn measure(net: Net, count: usize) -> Vec<(&'static str, Distribution)> {
    let examples = Examples::new(net, 1);
    let inputs: Vec<&[f32]> = examples.inputs().collect();
    let mut y = vec![0.0; net.outputs()];
    let mut distribution = |peer: &mut dyn Peer| {
        peer.predict_all(&examples, &mut y, count / 10);
        clear_upper_halves();
        timed(count, |i| {
            peer.predict(black_box(inputs[i % inputs.len()]), &mut y);
            black_box(&mut y);
        })
    };
    let timed = |(name, make): &(&'static str, peers::Make)| {
        make(net, 1, TIMED_RATE).map(|mut peer| (*name, distribution(&mut *peer)))
    };
    peers::ALL.iter().filter_map(timed).collect()
}
