//! Initialisation: the distributions' moments, and the same bits on every machine.
#![cfg(feature = "rand")]

use constnet::init::Init;
use constnet::layer::{Parameters, Role};
use constnet::{Dense, Network, Relu, Vector};
use rand::{SeedableRng, rngs::Xoshiro128PlusPlus};

const RULES: [Init; 8] = [
    Init::Zeros,
    Init::XavierUniform,
    Init::XavierNormal,
    Init::KaimingUniform,
    Init::KaimingNormal,
    Init::LecunUniform,
    Init::LecunNormal,
    Init::TorchDefault,
];

const WEIGHT: Role = Role::Weight { fan_in: 300, fan_out: 100 };

fn drawn(init: Init, role: Role) -> Vec<f64> {
    let mut values = vec![f64::NAN; 40_000];
    init.fill(role, &mut values, &mut Xoshiro128PlusPlus::seed_from_u64(3));
    values
}

/// Mean, variance, kurtosis and largest distance from 0.
fn moments(values: &[f64]) -> [f64; 4] {
    let count = f64::from(u32::try_from(values.len()).expect("few"));
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    let kurtosis = values.iter().map(|v| (v - mean).powi(4)).sum::<f64>() / count / variance.powi(2);
    [mean, variance, kurtosis, values.iter().fold(0.0, |most, v| v.abs().max(most))]
}

/// Would catch: fans that are exchanged, a bound that is a variance, a uniform that is a normal.
#[test]
fn weights_have_the_moments_of_their_rule() {
    // Rule, variance, bound of a uniform one.
    let rules: [(Init, f64, Option<f64>); 7] = [
        (Init::XavierUniform, 2.0 / 400.0, Some(6.0 / 400.0)),
        (Init::XavierNormal, 2.0 / 400.0, None),
        (Init::KaimingUniform, 2.0 / 300.0, Some(6.0 / 300.0)),
        (Init::KaimingNormal, 2.0 / 300.0, None),
        (Init::LecunUniform, 1.0 / 300.0, Some(3.0 / 300.0)),
        (Init::LecunNormal, 1.0 / 300.0, None),
        (Init::TorchDefault, 1.0 / 900.0, Some(1.0 / 300.0)),
    ];
    for (init, expected, bound) in rules {
        let [mean, variance, kurtosis, most] = moments(&drawn(init, WEIGHT));
        // Four standard errors of 40,000 draws.
        assert!(mean.abs() < 4.0 * (expected / 40_000.0).sqrt(), "{init:?}: mean {mean}");
        assert!((variance / expected - 1.0).abs() < 0.03, "{init:?}: variance {variance} for {expected}");
        if let Some(bound) = bound.map(f64::sqrt) {
            assert!((kurtosis - 1.8).abs() < 0.05, "{init:?}: a uniform's kurtosis is 1.8, not {kurtosis}");
            assert!(most <= bound && most > 0.999 * bound, "{init:?}: up to {most} for {bound}");
        } else {
            assert!((kurtosis - 3.0).abs() < 0.1, "{init:?}: a normal's kurtosis is 3, not {kurtosis}");
        }
    }
    assert_eq!(Init::default(), Init::XavierUniform);
    assert!(drawn(Init::Zeros, WEIGHT).iter().all(|v| v.to_bits() == 0));
}

/// Would catch: biases that are drawn where they are to be 0, or 0 where PyTorch draws them.
#[test]
fn biases() {
    for init in RULES {
        let values = drawn(init, Role::Bias { fan_in: 300 });
        if init == Init::TorchDefault {
            let [_, variance, _, most] = moments(&values);
            assert!((variance * 900.0 - 1.0).abs() < 0.03 && most <= (1.0_f64 / 300.0).sqrt());
        } else {
            assert!(values.iter().all(|v| v.to_bits() == 0), "{init:?}");
        }
    }
}

type Net = Network<Vector<3>, (Dense<3, 4>, Relu, Dense<4, 2>)>;

fn bits(init: Init, seed: u64) -> Vec<u32> {
    let mut net = Net::ZERO;
    net.visit(&mut |_, values| assert!(values.iter().all(|v| v.to_bits() == 0), "a network starts from 0"));
    // What was there before has no part in it.
    Net::zip([&mut net], &mut |_, [values]| values.fill(f32::NAN));
    net.init_with(init, &mut Xoshiro128PlusPlus::seed_from_u64(seed));
    let mut all = Vec::new();
    net.visit(&mut |_, values| all.extend(values.iter().map(|v| v.to_bits())));
    all
}

/// Would catch: a draw that depends on the machine, on rand's distributions, or that changes between versions.
#[test]
fn a_seed_has_its_bits() {
    const UNIFORM: [u32; 4] = [0xbe2a_1108, 0xbea1_0e17, 0x3f4b_479d, 0x3ea0_ad97];
    const NORMAL: [u32; 4] = [0xbf3e_e5c0, 0x3edd_3c0e, 0xbfaf_4260, 0xbf55_bed5];
    const TORCH_BIAS: [u32; 2] = [0xbe7d_def9, 0x3e32_3a61];
    assert_eq!(bits(Init::XavierUniform, 42)[..4], UNIFORM, "{:#x?}", bits(Init::XavierUniform, 42));
    assert_eq!(bits(Init::KaimingNormal, 42)[..4], NORMAL, "{:#x?}", bits(Init::KaimingNormal, 42));
    assert_eq!(bits(Init::TorchDefault, 42)[24..], TORCH_BIAS, "{:#x?}", bits(Init::TorchDefault, 42));
    for init in RULES {
        assert_eq!(bits(init, 7), bits(init, 7));
        assert_eq!(bits(init, 7) == bits(init, 8), init == Init::Zeros, "{init:?}");
    }
    let mut net = Net::ZERO;
    net.init(&mut Xoshiro128PlusPlus::seed_from_u64(42));
    assert_eq!(net.layers.0.weight[0].to_bits(), UNIFORM[0], "`init` is the default rule");
}
