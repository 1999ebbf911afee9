//! What everyone who is timed implements.

use crate::nets::{Batch, Examples};
use std::hint::black_box;

/// One library with one network and one size of batch. Numbers come and go as slices: what a program has from its sensors.
///
/// The loops that are timed are here, so that each peer has a copy of its own and no call through a table is in the time.
pub trait Peer {
    /// The output for one input; of a stream, that of the next step.
    fn predict(&mut self, x: &[f32], y: &mut [f32]);

    /// Forward, loss, backward and Adam's update on a mini-batch. Returns the mean loss before it; nothing where the peer does
    /// not train this network.
    fn step(&mut self, batch: Batch<'_>) -> Option<f32> {
        let _ = batch;
        None
    }

    /// Predicts at least `count` times, all inputs in turn, and returns how often.
    fn predict_all(&mut self, examples: &Examples, y: &mut [f32], count: usize) -> usize {
        let mut done = 0;
        while done < count {
            for x in examples.inputs() {
                black_box(&mut *self).predict(black_box(x), y);
                black_box(&mut *y);
                done += 1;
            }
        }
        done
    }

    /// Takes at least `count` steps, all batches in turn, and returns how many.
    fn step_all(&mut self, examples: &Examples, count: usize) -> usize {
        let mut done = 0;
        while done < count {
            for batch in examples.batches() {
                black_box(black_box(&mut *self).step(black_box(batch)));
                done += 1;
            }
        }
        done
    }
}

/// Adam's learning rate while steps are timed: all the work is done and the weights stay as they are, so that a long run computes
/// with the same numbers as a short one.
pub const TIMED_RATE: f64 = 0.0;
