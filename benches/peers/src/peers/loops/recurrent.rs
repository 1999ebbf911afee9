//! Networks that run step by step, column by column, with the rational tanh. Its sigmoid is `1/2 + tanh(x/2)/2`.

use super::dense::{dot, transpose};
use super::rational_tanh;
use crate::nets::{Net, Weight};
use crate::peer::Peer;

pub(super) fn make(net: Net) -> Option<Box<dyn Peer>> {
    let weights = net.weights();
    let weights = weights.iter().map(|Weight { values, .. }| values.as_slice()).collect::<Vec<_>>();
    Some(match (net, weights.as_slice()) {
        (Net::Lstm, [input, hidden, bias, other_bias, weight, [last]]) => Box::new(Lstm {
            input: input[..].try_into().expect("80 of one input"),
            hidden: columns(hidden),
            bias: std::array::from_fn(|i| bias[i] + other_bias[i]),
            weight: weight[..].try_into().expect("20 to one output"),
            last: *last,
            h: [0.0; 20],
            c: [0.0; 20],
        }),
        (Net::Gru, [input, hidden, bias, hidden_bias, weight, [last]]) => Box::new(Gru {
            input: input[..].try_into().expect("24 of one input"),
            hidden: columns(hidden),
            bias: bias[..].try_into().expect("24 biases"),
            hidden_bias: hidden_bias[..].try_into().expect("24 biases"),
            weight: weight[..].try_into().expect("8 to one output"),
            last: *last,
            h: [0.0; 8],
        }),
        (Net::Conv1d, [weight, bias]) => Box::new(Conv1d {
            weight: std::array::from_fn(|k| {
                std::array::from_fn(|input| std::array::from_fn(|output| weight[(output * 8 + input) * 7 + k]))
            }),
            bias: bias[..].try_into().expect("8 biases"),
            past: [[0.0; 8]; 12],
            next: 0,
        }),
        _ => return None,
    })
}

fn columns<const I: usize, const O: usize>(rows: &[f32]) -> [[f32; O]; I] {
    let mut columns = [[0.0; O]; I];
    transpose(rows, &mut columns);
    columns
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    0.5 + 0.5 * rational_tanh(0.5 * x)
}

#[inline(always)]
fn add_products<const I: usize, const O: usize>(y: &mut [f32; O], columns: &[[f32; O]; I], x: &[f32; I]) {
    for (column, x) in columns.iter().zip(x) {
        for (y, w) in y.iter_mut().zip(column) {
            *y += w * x;
        }
    }
}

/// One input, 20 units, one output. The gates are PyTorch's: input, forget, cell, output.
struct Lstm {
    input: [f32; 80],
    hidden: [[f32; 80]; 20],
    bias: [f32; 80],
    weight: [f32; 20],
    last: f32,
    h: [f32; 20],
    c: [f32; 20],
}

impl Peer for Lstm {
    fn predict(&mut self, x: &[f32], y: &mut [f32]) {
        let mut gates = self.bias;
        for (gate, w) in gates.iter_mut().zip(&self.input) {
            *gate += w * x[0];
        }
        add_products(&mut gates, &self.hidden, &self.h);
        let [i, f, g, o]: &[[f32; 20]; 4] = gates.as_chunks().0.first_chunk().expect("four gates");
        for k in 0..20 {
            self.c[k] = sigmoid(f[k]) * self.c[k] + sigmoid(i[k]) * rational_tanh(g[k]);
            self.h[k] = sigmoid(o[k]) * rational_tanh(self.c[k]);
        }
        y[0] = self.last + dot(&self.weight, &self.h);
    }
}

/// One input, 8 units, one output. The gates are PyTorch's: reset, update, new.
struct Gru {
    input: [f32; 24],
    hidden: [[f32; 24]; 8],
    bias: [f32; 24],
    hidden_bias: [f32; 24],
    weight: [f32; 8],
    last: f32,
    h: [f32; 8],
}

impl Peer for Gru {
    fn predict(&mut self, x: &[f32], y: &mut [f32]) {
        let mut from_input = self.bias;
        for (gate, w) in from_input.iter_mut().zip(&self.input) {
            *gate += w * x[0];
        }
        let mut from_state = self.hidden_bias;
        add_products(&mut from_state, &self.hidden, &self.h);
        for k in 0..8 {
            let reset = sigmoid(from_input[k] + from_state[k]);
            let update = sigmoid(from_input[8 + k] + from_state[8 + k]);
            let new = rational_tanh(from_input[16 + k] + reset * from_state[16 + k]);
            self.h[k] = new + update * (self.h[k] - new);
        }
        y[0] = self.last + dot(&self.weight, &self.h);
    }
}

/// 8 channels, kernel 7, dilation 2: the last 12 inputs are kept in a ring.
struct Conv1d {
    weight: [[[f32; 8]; 8]; 7],
    bias: [f32; 8],
    past: [[f32; 8]; 12],
    next: usize,
}

impl Peer for Conv1d {
    fn predict(&mut self, x: &[f32], y: &mut [f32]) {
        let x: &[f32; 8] = x.try_into().expect("8 channels");
        let mut sum = self.bias;
        let mut place = self.next;
        let [taps @ .., last] = &self.weight;
        for tap in taps {
            add_products(&mut sum, tap, &self.past[place]);
            place += 2;
            if place >= 12 {
                place -= 12;
            }
        }
        add_products(&mut sum, last, x);
        self.past[self.next] = *x;
        self.next = if self.next == 11 { 0 } else { self.next + 1 };
        y.copy_from_slice(&sum);
    }
}
