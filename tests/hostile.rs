//! Files that mean harm, and networks of any numbers. `fuzz/` goes further, on a nightly compiler.

use constnet::data::MinMaxScaler;
use constnet::layer::{Layer, Parameters};
use constnet::loss::Mse;
use constnet::nalgebra::SVector;
use constnet::optimizer::Adam;
use constnet::safetensors::{HeaderError, Names, Stored, Tensors};
use constnet::shape::Shape;
use constnet::train::{Checkpoint, Trainer};
use constnet::{ConstZero, Dense, DenseNoBias, Flatten, Network, Relu, Residual, Sequence, Tanh, Vector};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use safetensors::SafeTensors;
use std::collections::BTreeSet;

type Single = Network<Vector<3>, (Dense<3, 2>, Relu, Dense<2, 1>)>;
type Double = Network<Vector<2>, (Dense<2, 2, f64>, Tanh), f64>;
type Nested = Network<Vector<2>, (Dense<2, 2>, (DenseNoBias<2, 2>, Residual<(Tanh, Dense<2, 2>)>))>;
type Steps = Network<Sequence<2, 3>, (Dense<2, 4>, Flatten, Dense<12, 1>)>;

/// A network with these numbers, over and over.
fn filled<In, L, T>(numbers: &[u64]) -> Network<In, L, T>
where
    In: Shape,
    L: Layer<In, T> + Parameters<T>,
    T: FromBits,
{
    let mut net = Network::ZERO;
    let mut numbers = numbers.iter().cycle();
    L::zip([&mut net.layers], &mut |_, [values]| {
        for (value, &number) in values.iter_mut().zip(&mut numbers) {
            *value = T::finite(number);
        }
    });
    net
}

fn nets(numbers: &[u64]) -> (Single, Double, Nested) {
    (filled(numbers), filled(numbers), filled(numbers))
}

trait FromBits: Stored {
    /// The number with these bits, or a subnormal one.
    fn finite(bits: u64) -> Self;
}

impl FromBits for f32 {
    #[allow(clippy::cast_possible_truncation)] // Half of the bits are enough.
    fn finite(bits: u64) -> Self {
        let number = Self::from_bits(bits as u32);
        if number.is_finite() { number } else { Self::from_bits(bits as u32 & 0x807f_ffff) }
    }
}

impl FromBits for f64 {
    fn finite(bits: u64) -> Self {
        let number = Self::from_bits(bits);
        if number.is_finite() { number } else { Self::from_bits(bits & 0x800f_ffff_ffff_ffff) }
    }
}

/// The file of a network: its numbers to the bit.
fn saved<In: Shape, L: Layer<In, T> + Parameters<T>, T: Stored>(net: &Network<In, L, T>) -> Vec<u8> {
    let mut file = vec![0; net.saved_len()];
    assert_eq!(net.save(&mut file), Ok(file.len()));
    file
}

/// A network loaded from what it was saved to.
fn round_trip<In, L, T>(net: &Network<In, L, T>)
where
    In: Shape,
    L: Layer<In, T> + Parameters<T>,
    T: FromBits,
{
    let file = saved(net);
    let mut again = filled::<In, L, T>(&[7]);
    again.load(&file).expect("our own file");
    assert_eq!(saved(&again), file);
}

/// Loads what may be a file into a network: it is as it was, or what it saves is what it loads.
fn survives<In, L, T>(mut net: Network<In, L, T>, file: &[u8], names: &Names<'_>)
where
    In: Shape,
    L: Layer<In, T> + Parameters<T>,
    T: FromBits,
{
    let before = saved(&net);
    match net.load_with(file, names) {
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert_eq!(saved(&net), before, "{error}, and the network has changed");
        }
        Ok(()) => round_trip(&net),
    }
}

/// The same for a scaler.
fn scaler_survives(file: &[u8]) {
    let mut scaler = fitted();
    if scaler.load(file).is_err() {
        assert_eq!(scaler, fitted());
    } else {
        let mut again = vec![0; scaler.saved_len()];
        scaler.save(&mut again).expect("what was loaded can be saved");
        assert!(scaler.range.iter().all(|&range| range > 0.0));
    }
}

type AdamTrainer = Trainer<Single, Adam, Mse, 1>;

/// A scaler that is not all 0: that would be refused.
fn fitted() -> MinMaxScaler<Vector<3>> {
    MinMaxScaler::fit(&[[0.0, 1.0, 2.0], [3.0, -4.0, 5.0]].map(SVector::<f32, 3>::from)).expect("finite")
}

fn session() -> (Single, AdamTrainer, MinMaxScaler<Vector<3>>) {
    (filled(&[0x3f80_0000, 0x4000_0000]), Trainer::new(Adam::const_new(0.01), Mse), fitted())
}

fn session_file((net, trainer, scaler): &mut (Single, AdamTrainer, MinMaxScaler<Vector<3>>)) -> Vec<u8> {
    let checkpoint = Checkpoint { net, trainer, scaler };
    let mut file = vec![0; checkpoint.saved_len()];
    assert_eq!(checkpoint.save(&mut file), Ok(file.len()));
    file
}

/// The same for a checkpoint, which must also train on.
fn checkpoint_survives(file: &[u8]) {
    let mut ours = session();
    let before = session_file(&mut ours);
    let (net, trainer, scaler) = &mut ours;
    let result = Checkpoint { net, trainer, scaler }.load(file);
    if let Err(error) = result {
        assert_eq!(session_file(&mut ours), before, "{error}, and the checkpoint has changed");
    } else {
        trainer.step(net, &[SVector::from([1.0, -1.0, 0.5])], &[SVector::<f32, 1>::from([1.0])]);
    }
}

/// One change to a file.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Remove(Index, Index),
    Repeat(Index, Index),
    Token(Index, &'static str),
    HeaderLen(u64),
}

const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0041",
    " ",
    "-1",
    "0",
    "01",
    "1e9",
    "1.0",
    "null",
    "true",
    "[[",
    "{}",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999",
    "\"F32\"",
    "\"F64\"",
    "\"BF16\"",
    "\"U64\"",
    "\"X\"",
    "\"dtype\":",
    "\"shape\":",
    "\"data_offsets\":",
    "\"__metadata__\":{\"a\":\"b\"},",
    ",\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}",
    "0.weight",
    "\u{0}",
    "\u{7ff}",
    "[0,0]",
];

fn change() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    prop_oneof![
        4 => (place(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        1 => place().prop_map(Change::Cut),
        2 => (place(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (place(), place()).prop_map(|(from, to)| Change::Remove(from, to)),
        2 => (place(), place()).prop_map(|(from, to)| Change::Repeat(from, to)),
        6 => (place(), select(TOKENS)).prop_map(|(at, token)| Change::Token(at, token)),
        1 => prop_oneof![any::<u64>(), 0..600_u64].prop_map(Change::HeaderLen),
    ]
}

/// Makes a change; where it is to the header, half of the time with the length mended, so that the change is read.
fn changed(mut file: Vec<u8>, change: &Change, mends: bool) -> Vec<u8> {
    let len = file.len();
    let order = |a: &Index, b: &Index| (a.index(len + 1).min(b.index(len + 1)), a.index(len + 1).max(b.index(len + 1)));
    match change {
        Change::Flip(at, bit) if len > 0 => file[at.index(len)] ^= 1 << bit,
        Change::Cut(at) => file.truncate(at.index(len + 1)),
        Change::Insert(at, bytes) => {
            let at = at.index(len + 1);
            file.splice(at..at, bytes.iter().copied());
        }
        Change::Remove(from, to) => {
            let (from, to) = order(from, to);
            file.drain(from..to);
        }
        Change::Repeat(from, to) => {
            let (from, to) = order(from, to);
            file.extend_from_within(from..to);
        }
        Change::Token(at, token) => {
            let at = at.index(len + 1);
            // In the place of as many bytes, or between them.
            let end = if mends { at } else { (at + token.len()).min(len) };
            file.splice(at..end, token.bytes());
        }
        Change::HeaderLen(value) if len >= 8 => file[..8].copy_from_slice(&value.to_le_bytes()),
        Change::Flip(..) | Change::HeaderLen(_) => {}
    }
    let grown = file.len().wrapping_sub(len);
    if let (true, Some(header)) = (mends, file.first_chunk_mut::<8>()) {
        *header = u64::from_le_bytes(*header).wrapping_add(grown as u64).to_le_bytes();
    }
    file
}

fn spoiled(file: Vec<u8>, changes: &[(Change, bool)]) -> Vec<u8> {
    changes.iter().fold(file, |file, (change, mends)| changed(file, change, *mends))
}

fn numbers() -> impl Strategy<Value = Vec<u64>> {
    vec(any::<u64>(), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    /// Would catch: a panic, and a file that is refused after a part of it was loaded.
    #[test]
    fn a_spoiled_file_changes_nothing(changes in vec((change(), any::<bool>()), 1..6), which in 0..3, names in any::<bool>()) {
        let names = if names { Names { prefix: "m.", pairs: &[("0", "fc1"), ("1.1", "")] } } else { Names::OWN };
        let (single, double, nested) = nets(&[0x3ff0_0000_3f80_0000]);
        let file = match which {
            0 => saved(&single),
            1 => saved(&double),
            _ => saved(&nested),
        };
        let file = spoiled(file, &changes);
        survives(single, &file, &names);
        survives(double, &file, &names);
        survives(nested, &file, &names);
    }

    /// Would catch: the same in checkpoints; and numbers of a checkpoint that a training step panics on.
    #[test]
    fn a_spoiled_checkpoint_changes_nothing(changes in vec((change(), any::<bool>()), 1..4)) {
        checkpoint_survives(&spoiled(session_file(&mut session()), &changes));
        let mut file = vec![0; fitted().saved_len()];
        fitted().save(&mut file).expect("a fitted scaler");
        scaler_survives(&spoiled(file, &changes));
    }

    /// Would catch: bytes that are no file at all and make the reader panic.
    #[test]
    fn noise_is_refused(noise in vec(any::<u8>(), 0..64), len in 0..64_u64) {
        let file = [&len.to_le_bytes(), &noise[..]].concat();
        survives(Single::ZERO, &file, &Names::OWN);
        survives(Single::ZERO, &noise, &Names::OWN);
    }

    /// Would catch: a tensor left out or moved, a bit lost, in any of these types.
    #[test]
    fn any_network_saved_and_loaded_is_itself(numbers in numbers()) {
        let (single, double, nested) = nets(&numbers);
        round_trip(&single);
        round_trip(&double);
        round_trip(&nested);
        let steps: Steps = filled(&numbers);
        round_trip(&steps);
    }

    /// A file whose keys are translated, by the official crate, is loaded with the same names as itself.
    #[test]
    fn names_round_trip(
        numbers in numbers(),
        prefix in "[a-z_.é]{0,12}",
        pairs in vec((select(&["0", "1", "1.0", "1.1", "1.1.1", "0.weight"][..]), "[a-z0-9_.]{0,9}"), 0..4),
    ) {
        let pairs: Vec<_> = pairs.iter().map(|(ours, theirs)| (*ours, &**theirs)).collect();
        let names = Names { prefix: &prefix, pairs: &pairs };
        let net: Nested = filled(&numbers);
        let file = saved(&net);
        let tensors = SafeTensors::deserialize(&file).expect("a valid file");
        let renamed: Vec<_> =
            tensors.tensors().into_iter().map(|(key, view)| (names.translate(&key).to_string(), view)).collect();
        // Two tensors of one name cannot be told apart.
        prop_assume!(renamed.iter().map(|(key, _)| key).collect::<BTreeSet<_>>().len() == renamed.len());
        let theirs = safetensors::serialize(renamed, None).expect("a valid file");
        let mut again = Nested::ZERO;
        again.load_with(&theirs, &names).expect("every name translated");
        prop_assert_eq!(saved(&again), file);
    }
}

/// Would catch: an overflow where a checkpoint's counts are at their end.
#[test]
fn counts_at_their_end() {
    let mut ours = session();
    let file = session_file(&mut ours);
    let header = SafeTensors::read_metadata(&file).expect("a valid file");
    let progress = header.1.info("trainer.progress").expect("the counts").data_offsets;
    let mut hostile = file.clone();
    hostile[8 + header.0..][progress.0..progress.1].fill(0xff);
    checkpoint_survives(&hostile);
    let (net, trainer, scaler) = &mut ours;
    Checkpoint { net, trainer, scaler }.load(&hostile).expect("any count is a count");
    assert_eq!(trainer.steps(), u64::MAX);
    let inputs = [SVector::<f32, 3>::from([1.0, -1.0, 0.5])];
    let data = constnet::data::Dataset::new(&inputs, &[SVector::<f32, 1>::ZERO])
        .map(|data| trainer.fit(net, data, constnet::train::Fit::epochs(2), &mut ()).map(|report| report.steps));
    assert_eq!(data.expect("a pair").expect("finite"), 2);
}

/// Would catch: tensors that lie inside others, which the sums of begins and ends do not show when they are empty.
#[test]
fn an_empty_tensor_inside_another() {
    let file = |at: usize| {
        let header = format!(
            r#"{{"a":{{"dtype":"U8","shape":[3],"data_offsets":[0,3]}},"e":{{"dtype":"U8","shape":[0],"data_offsets":[{at},{at}]}}}}"#
        );
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), b"123"].concat()
    };
    for at in 0..4 {
        let ours = Tensors::parse(&file(at)).map(|tensors| tensors.len());
        assert_eq!(ours, if at % 3 == 0 { Ok(2) } else { Err(HeaderError::OverlapOrHole) }, "at {at}");
        assert_eq!(SafeTensors::deserialize(&file(at)).is_ok(), ours.is_ok(), "the official reader, at {at}");
    }
}
