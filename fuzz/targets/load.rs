//! A file that is refused changes no bit of a network; one that is loaded is saved and loaded again as itself.
#![no_main]

use constnet::Network;
use constnet::layer::{Layer, Parameters};
use constnet::safetensors::{Names, Stored};
use constnet::shape::Shape;
use constnet_fuzz::{Double, Nested, Normed, Single, bounded, net_file, ramp, saved};
use libfuzzer_sys::fuzz_target;

fn check<In: Shape, L: Layer<In, T> + Parameters<T> + PartialEq, T: Stored>(file: &[u8], names: &Names) {
    let mut net = ramp::<In, L, T>();
    if let Err(error) = net.load_with(file, names) {
        assert!(!error.to_string().is_empty());
        assert!(net.layers == ramp::<In, L, T>().layers, "a refused file has changed the network");
    } else {
        let ours = net_file(&net);
        let mut again = Network::<In, L, T>::ZERO;
        again.load(&ours).expect("our own file");
        assert_eq!(net_file(&again), ours);
    }
}

/// The types of a network, from one.
fn check_as<In: Shape, L: Layer<In, T> + Parameters<T> + PartialEq, T: Stored>(
    _: &Network<In, L, T>,
    file: &[u8],
    names: &Names,
) {
    check::<In, L, T>(file, names);
}

fuzz_target!(|file: &[u8]| {
    let renamed = Names { prefix: "m.", pairs: &[("0", "fc1"), ("2", "head"), ("1.1", "")] };
    check_as(&Single::ZERO, file, &Names::OWN);
    check_as(&Double::ZERO, file, &Names::OWN);
    check_as(&Nested::ZERO, file, &Names::OWN);
    check_as(&Normed::ZERO, file, &Names::OWN);
    check_as(&Double::ZERO, file, &renamed);
    check_as(&Nested::ZERO, file, &renamed);

    let mut scaler = bounded();
    if scaler.load(file).is_err() {
        assert_eq!(scaler, bounded());
    } else {
        assert!(scaler.range.iter().all(|&range| range > 0.0));
        let ours = saved(scaler.saved_len(), |buffer| scaler.save(buffer).expect("room"));
        let mut again = bounded();
        again.load(&ours).expect("our own file");
        assert_eq!(again, scaler);
    }
});
