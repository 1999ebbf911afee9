//! Learning on the chip: exclusive or, and the calibration of a sensor, by Adam with batches of 1 and of 4. All memory lies in
//! `.bss`, and what it takes is said before the first step; `run.sh` compares that with what the linker has laid out.
#![no_std]
#![no_main]

use constnet::layer::Differentiable;
use constnet::loss::Mse;
use constnet::nalgebra::SVector;
use constnet::network::Model;
use constnet::optimizer::Adam;
use constnet::train::{Memory, Trainer};
use constnet::{ConstZero, Network, Vector};
use constnet_firmware::nets::{Sensor, Xor, next, uniform};
use constnet_firmware::once::Once;
use constnet_firmware::text::{Decimals, Right};
use constnet_firmware::{entry, say, stack};
use rand::{SeedableRng, rngs::Xoshiro128PlusPlus};

static XOR: Once<Xor> = Once::new(Xor::ZERO);
static XOR_MEMORY_1: Once<Memory<Xor, Adam, 1>> = Once::new(Memory::ZERO);
static XOR_MEMORY_4: Once<Memory<Xor, Adam, 4>> = Once::new(Memory::ZERO);
static SENSOR: Once<Sensor> = Once::new(Sensor::ZERO);
static SENSOR_MEMORY_1: Once<Memory<Sensor, Adam, 1>> = Once::new(Memory::ZERO);
static SENSOR_MEMORY_4: Once<Memory<Sensor, Adam, 4>> = Once::new(Memory::ZERO);

// The formula of README.md: a gradient; two moments and two numbers of f64; for each sample its input, its output twice, and what
// lies between the layers twice.
const _: () = {
    assert!(size_of::<Xor>() == 4 * 17 && size_of::<Sensor>() == 4 * 49);
    assert!(Memory::<Xor, Adam, 1>::GRADIENT_BYTES == 4 * 17);
    assert!(Memory::<Xor, Adam, 1>::STATE_BYTES == 2 * 4 * 17 + 2 * 8);
    assert!(Memory::<Xor, Adam, 1>::BATCH_BYTES == 4 * (2 + 2 + 2 * (4 + 4 + 1)));
    assert!(Memory::<Xor, Adam, 4>::BATCH_BYTES == 4 * Memory::<Xor, Adam, 1>::BATCH_BYTES);
    assert!(Memory::<Sensor, Adam, 1>::STATE_BYTES == 2 * 4 * 49 + 2 * 8);
    assert!(Memory::<Sensor, Adam, 4>::BATCH_BYTES == 4 * 4 * (2 + 2 + 2 * (12 + 12)));
};

entry!(main);

fn main() -> bool {
    let (Some(xor), Some(xor_1), Some(xor_4)) = (XOR.take(), XOR_MEMORY_1.take(), XOR_MEMORY_4.take()) else {
        return false;
    };
    let (Some(sensor), Some(sensor_1), Some(sensor_4)) =
        (SENSOR.take(), SENSOR_MEMORY_1.take(), SENSOR_MEMORY_4.take())
    else {
        return false;
    };
    say!["static XOR: ", size_of::<Xor>(), " bytes, ", Xor::PARAMETERS, " parameters"];
    say_memory::<Xor, 1>("XOR_MEMORY_1");
    say_memory::<Xor, 4>("XOR_MEMORY_4");
    say!["static SENSOR: ", size_of::<Sensor>(), " bytes, ", Sensor::PARAMETERS, " parameters"];
    say_memory::<Sensor, 1>("SENSOR_MEMORY_1");
    say_memory::<Sensor, 4>("SENSOR_MEMORY_4");

    say!["XOR 2-4-1, batch 1"];
    let mut fits =
        train(xor, Trainer::<_, _, _, 1, _>::with_memory(const { Adam::const_new(0.05) }, Mse, xor_1), 2000, truth);
    let mut learnt = is_learnt(xor);
    say!["XOR 2-4-1, batch 4"];
    fits &= train(xor, Trainer::<_, _, _, 4, _>::with_memory(const { Adam::const_new(0.05) }, Mse, xor_4), 800, truth);
    learnt &= is_learnt(xor);
    say!["sensor 2-12-1, batch 1"];
    fits &= train(
        sensor,
        Trainer::<_, _, _, 1, _>::with_memory(const { Adam::const_new(0.005) }, Mse, sensor_1),
        3000,
        measured,
    );
    learnt &= is_calibrated(sensor);
    say!["sensor 2-12-1, batch 4"];
    fits &= train(
        sensor,
        Trainer::<_, _, _, 4, _>::with_memory(const { Adam::const_new(0.01) }, Mse, sensor_4),
        1500,
        measured,
    );
    fits & learnt & is_calibrated(sensor)
}

/// What a trainer's memory is made of.
fn say_memory<N: Model<Scalar = f32>, const B: usize>(name: &str) {
    say![
        "static ",
        name,
        ": ",
        size_of::<Memory<N, Adam, B>>(),
        " bytes, gradient ",
        Memory::<N, Adam, B>::GRADIENT_BYTES,
        ", Adam ",
        Memory::<N, Adam, B>::STATE_BYTES,
        ", batch ",
        Memory::<N, Adam, B>::BATCH_BYTES
    ];
}

/// What is trained here, and its trainer.
type Net<L> = Network<Vector<2>, L>;
type Learner<'m, L, const B: usize> = Trainer<Net<L>, Adam, Mse, B, &'m mut Memory<Net<L>, Adam, B>>;

/// A sample: what goes in, and what shall come out.
type Sample = (SVector<f32, 2>, SVector<f32, 1>);

/// Trains from new parameters on the samples 0, 1, 2, .., and says the mean loss ten times on its way. Whether no step took more of the
/// stack than its code may.
fn train<L: Differentiable<Vector<2>, Out = Vector<1>>, const B: usize>(
    net: &mut Net<L>,
    mut trainer: Learner<'_, L, B>,
    steps: u16,
    sample: impl Fn(u32) -> Sample,
) -> bool {
    net.init(&mut Xoshiro128PlusPlus::seed_from_u64(3));
    let (mut count, mut deepest) = (0, 0);
    for part in 1..=10_u16 {
        let mut sum = 0.0;
        for _ in 0..steps / 10 {
            let (mut inputs, mut targets) = ([ConstZero::ZERO; B], [ConstZero::ZERO; B]);
            for (x, y) in inputs.iter_mut().zip(&mut targets) {
                (*x, *y) = sample(count);
                count += 1;
            }
            constnet_firmware::inject_panic();
            let (loss, bytes) = stack::high_water(|| trainer.step(net, &inputs, &targets));
            deepest = deepest.max(bytes);
            sum += loss;
        }
        let mean = sum / f32::from(steps / 10);
        say!["    step ", Right::<4>(u32::from(part * (steps / 10))), ": loss ", Decimals::<6>(mean)];
    }
    say!["    stack of a step: ", deepest, " bytes"];
    deepest <= stack::CODE_BYTES
}

/// Exclusive or.
fn truth(count: u32) -> Sample {
    let (a, b) = (count & 1, count >> 1 & 1);
    let number = |bit| if bit == 1 { 1.0 } else { 0.0 };
    (SVector::from([number(a), number(b)]), SVector::from([number(a ^ b)]))
}

/// Whether the four rows of the table come out.
fn is_learnt(net: &Xor) -> bool {
    (0..4).all(|row| {
        let (x, y) = truth(row);
        let given = net.predict(&x);
        say!["    ", Decimals::<0>(x[0]), " xor ", Decimals::<0>(x[1]), ": ", Decimals::<3>(given[0])];
        (given[0] - y[0]).abs() < 0.1
    })
}

/// A sensor in a bath of known pressure and temperature: what the bridge reads and the temperature go in, the pressure comes out; all
/// within -1 and 1.
fn bath(pressure: f32, temperature: f32) -> Sample {
    let reading = pressure * (0.6 + 0.15 * temperature) + 0.2 * temperature + 0.1 * pressure * pressure;
    (SVector::from([reading, temperature]), SVector::from([pressure]))
}

/// Baths in an order without a pattern.
fn measured(count: u32) -> Sample {
    let first = next(count.wrapping_mul(0x9E37_79B9) | 1);
    bath(uniform(first), uniform(next(first)))
}

/// Whether the sensor is right within 0.05 in the mean, in baths between those that it was trained on.
fn is_calibrated(net: &Sensor) -> bool {
    let (mut before, mut after) = (0.0, 0.0);
    for i in 0..64_u8 {
        let (x, y) = bath(f32::from(i % 8) / 4.0 - 0.9, f32::from(i / 8) / 4.0 - 0.9);
        before += (x[0] - y[0]).abs() / 64.0;
        after += (net.predict(&x)[0] - y[0]).abs() / 64.0;
    }
    say!["    mean error: ", Decimals::<4>(before), " of the bridge alone, ", Decimals::<4>(after), " of the network"];
    after < 0.05
}
