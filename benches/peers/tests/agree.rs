//! Everyone who is timed computes the same: the outputs, and the losses of steps that learn.

use constnet_peers::nets::{Examples, Net};
use constnet_peers::peers;
use constnet_peers::results::Case;
use std::thread;

/// Matrices of nalgebra's pass through the stack by value.
const STACK: usize = 256 << 20;

fn with_stack(run: fn()) {
    thread::Builder::new().stack_size(STACK).spawn(run).expect("a thread").join().expect("it passes");
}

fn assert_close(what: &str, ours: &[f32], theirs: &[f32], tolerance: f32) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= tolerance * a.abs().max(1.0), "{what}: {a} and {b}");
    }
}

/// The outputs for all inputs; of streams the outputs of 64 steps.
fn outputs(net: Net, make: peers::Make) -> Option<Vec<f32>> {
    let mut peer = make(net, 1, 0.0)?;
    let mut all = Vec::new();
    for x in Examples::new(net, 1).inputs() {
        let mut y = vec![0.0; net.outputs()];
        peer.predict(x, &mut y);
        all.extend(y);
    }
    Some(all)
}

/// The losses of twenty steps at a rate that learns.
fn losses(net: Net, batch: usize, make: peers::Make) -> Option<Vec<f32>> {
    let examples = Examples::new(net, batch);
    let mut peer = make(net, batch, 1e-3)?;
    examples.batches().cycle().take(20).map(|batch| peer.step(batch)).collect()
}

#[test]
fn predictions() {
    with_stack(|| {
        for net in Net::ALL {
            let mut others = 0;
            let ours = outputs(net, peers::ALL[0].1).expect("constnet has every network");
            let distinct = ours.iter().any(|y| (y - ours[0]).abs() > 1e-3);
            assert!(distinct, "{}: the outputs differ from one another", net.name());
            for (name, make) in &peers::ALL[1..] {
                if let Some(theirs) = outputs(net, *make) {
                    assert_close(&format!("{}, {name}", net.name()), &ours, &theirs, 1e-5);
                    others += 1;
                }
            }
            assert!(others > 0, "{}: someone to compare with", net.name());
        }
    });
}

#[test]
fn training_steps() {
    with_stack(|| {
        for Case { net, batch, .. } in Case::all().into_iter().filter(|case| case.training) {
            let ours = losses(net, batch, peers::ALL[0].1).expect("constnet trains every network");
            assert!(ours.iter().any(|loss| (loss - ours[0]).abs() > 1e-3), "{}: it learns", net.name());
            let mut others = 0;
            for (name, make) in &peers::ALL[1..] {
                if let Some(theirs) = losses(net, batch, *make) {
                    assert_close(&format!("{}, batch {batch}, {name}", net.name()), &ours, &theirs, 1e-4);
                    others += 1;
                }
            }
            assert!(others > 0, "{}: someone to compare with", net.name());
        }
    });
}
