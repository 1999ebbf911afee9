//! Weights in and out at run time, against the official `safetensors` crate.
#![cfg(feature = "rand")]
#![allow(clippy::float_cmp)] // What is saved is loaded to the bit.

use constnet::data::{Dataset, Standardizer};
use constnet::nalgebra::SVector;
use constnet::optimizer::{Adagrad, Adam, Momentum, Optimizer, RmsProp, Sgd};
use constnet::safetensors::{Cause, HeaderError, LoadError, Names, SaveError, Tensors};
use constnet::train::{Checkpoint, Fit, Trainer};
use constnet::{Class, ConstZero, Dense, DenseNoBias, Dropout, Network, Relu, Residual, Tanh, Vector};
use constnet::{loss::CrossEntropy, loss::Mse};
use rand::{SeedableRng, rngs::StdRng};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};

type Net = Network<Vector<3>, (Dense<3, 4>, Relu, (DenseNoBias<4, 5>, Residual<(Tanh, Dense<5, 5>)>), Dense<5, 2>)>;

fn net() -> Net {
    let mut net = Net::ZERO;
    net.init_with(constnet::init::Init::TorchDefault, &mut StdRng::seed_from_u64(1));
    net
}

fn saved(net: &Net) -> Vec<u8> {
    let mut file = vec![0; net.saved_len()];
    assert_eq!(net.save(&mut file), Ok(file.len()));
    file
}

/// The official reader finds our keys, PyTorch's shapes, and rows where we keep columns.
#[test]
fn the_official_reader_reads_what_we_write() {
    let (net, file) = (net(), saved(&net()));
    let tensors = SafeTensors::deserialize(&file).expect("a valid file");
    let mut names = tensors.names();
    names.sort_unstable();
    assert_eq!(names, ["0.bias", "0.weight", "2.0.weight", "2.1.1.bias", "2.1.1.weight", "3.bias", "3.weight"]);
    let weight = tensors.tensor("0.weight").expect("the first weight");
    assert_eq!((weight.dtype(), weight.shape()), (Dtype::F32, &[4, 3][..]));
    for (i, bytes) in weight.data().chunks_exact(4).enumerate() {
        let value = f32::from_le_bytes(bytes.try_into().expect("4 bytes"));
        assert_eq!(value, net.layers.0.weight[(i / 3, i % 3)], "element {i}");
    }
}

#[test]
fn loading_what_was_saved_gives_the_same_bits() {
    let mut other = Net::ZERO;
    other.load(&saved(&net())).expect("our own file");
    assert_eq!(other, net());
}

/// Tensors for the official writer: names, types, shapes, bytes.
fn write(tensors: &[(&str, Dtype, &[usize], Vec<u8>)]) -> Vec<u8> {
    let views = tensors.iter().map(|(name, dtype, shape, data)| {
        (*name, TensorView::new(*dtype, shape.to_vec(), data).expect("shape and bytes agree"))
    });
    serialize(views, None).expect("a valid file")
}

type Line = Network<Vector<2>, (Dense<2, 1>,)>;

#[test]
fn types_that_widen_are_read_and_others_refused() {
    let f32s = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let f64s = |values: &[f64]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let u16s = |values: &[u16]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let mut net = Line::ZERO;
    net.load(&write(&[
        ("0.weight", Dtype::F16, &[1, 2], u16s(&[0x3c00, 0xc000])),
        ("0.bias", Dtype::BF16, &[1], u16s(&[0x3f80])),
    ]))
    .expect("halves widen");
    assert_eq!((net.layers.0.weight[0], net.layers.0.weight[1], net.layers.0.bias[0]), (1.0, -2.0, 1.0));
    let before = net.clone();
    let wide =
        [("0.weight", Dtype::F64, &[1_usize, 2][..], f64s(&[1.0, 2.0])), ("0.bias", Dtype::F32, &[1], f32s(&[0.0]))];
    let error = net.load(&write(&wide)).expect_err("f64 does not widen to f32");
    assert_eq!(error.to_string(), "tensor `0.weight` is F64, which does not widen to the network's F32");
    assert_eq!(net, before, "a refused file changes nothing");
    let mut net = Network::<Vector<2>, (Dense<2, 1, f64>,), f64>::ZERO;
    net.load(&write(&wide)).expect("f64 and f32 into f64");
    assert_eq!(net.layers.0.weight[1], 2.0);
}

/// Each way in which a file does not fit is its own error, names the tensor, and leaves the network as it was.
#[test]
fn files_that_do_not_fit() {
    let f32s = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let weight = ("0.weight", Dtype::F32, &[1_usize, 2][..], f32s(&[1.0, 2.0]));
    let bias = ("0.bias", Dtype::F32, &[1_usize][..], f32s(&[3.0]));
    let cases = [
        (vec![weight.clone()], "tensor `0.bias` is missing from the file, which has `0.weight`"),
        (
            vec![("0.weight", Dtype::F32, &[2, 1], weight.3.clone()), bias.clone()],
            "tensor `0.weight` is [2, 1], the network needs [1, 2]",
        ),
        (
            vec![("0.weight", Dtype::I32, &[1, 2], weight.3.clone()), bias.clone()],
            "tensor `0.weight` is I32, which does not widen to the network's F32",
        ),
        (
            vec![weight.clone(), ("0.bias", Dtype::F32, &[1], f32s(&[f32::NAN]))],
            "tensor `0.bias` holds a number that is not finite",
        ),
        (
            vec![weight.clone(), bias.clone(), ("1.bias", Dtype::F32, &[1], f32s(&[0.0]))],
            "the network has no place for tensor `1.bias`",
        ),
    ];
    for (tensors, message) in cases {
        let mut net = Line::ZERO;
        assert_eq!(net.load(&write(&tensors)).expect_err(message).to_string(), message);
        assert_eq!(net, Line::ZERO, "{message}: the network has changed");
    }
}

/// A header around data, with its length in front.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

type IsExpected = fn(&HeaderError) -> bool;

/// Each way in which a file can be broken is its own error.
#[test]
fn broken_files() {
    let tensor = |name: &str, begin: usize, end: usize| {
        format!(r#""{name}":{{"dtype":"U8","shape":[{}],"data_offsets":[{begin},{end}]}}"#, end.saturating_sub(begin))
    };
    let cases: Vec<(Vec<u8>, IsExpected)> = vec![
        (vec![0; 7], |e| matches!(e, HeaderError::TooShort)),
        (u64::MAX.to_le_bytes().to_vec(), |e| matches!(e, HeaderError::HeaderTooLong)),
        (9_u64.to_le_bytes().to_vec(), |e| matches!(e, HeaderError::HeaderCut)),
        ([&2_u64.to_le_bytes()[..], &[b'{', 0xff]].concat(), |e| matches!(e, HeaderError::NotUtf8)),
        (file("", b""), |e| matches!(e, HeaderError::Malformed { at: 0 })),
        (file("{}x", b""), |e| matches!(e, HeaderError::Malformed { at: 2 })),
        (file(&"[".repeat(100_000), b""), |e| matches!(e, HeaderError::Malformed { at: 0 })),
        (file(&format!("{{{},}}", tensor("a", 0, 1)), b"1"), |e| matches!(e, HeaderError::Malformed { .. })),
        (file(r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,01]}}"#, b"1"), |e| {
            matches!(e, HeaderError::Malformed { .. })
        }),
        (file(r#"{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, b"1"), |e| {
            matches!(e, HeaderError::Malformed { .. })
        }),
        (file(r#"{"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,1]}}"#, b"1"), |e| {
            matches!(e, HeaderError::NumberTooLarge { .. })
        }),
        (file(r#"{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,1]}}"#, b"1"), |e| {
            matches!(e, HeaderError::UnknownDtype { .. })
        }),
        (file(&format!("{{{},{}}}", tensor("a", 0, 1), tensor("a", 1, 2)), b"12"), |e| {
            matches!(e, HeaderError::DuplicateKey)
        }),
        (file(&format!("{{{}}}", tensor("a", 0, 3)), b"12"), |e| matches!(e, HeaderError::DataCut)),
        (file(&format!("{{{}}}", tensor("a", 2, 1)), b"12"), |e| matches!(e, HeaderError::ReversedOffsets)),
        (file(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,2]}}"#, b"12"), |e| {
            matches!(e, HeaderError::LengthMismatch)
        }),
        (file(r#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, b""), |e| {
            matches!(e, HeaderError::LengthMismatch)
        }),
        (file(&format!("{{{},{}}}", tensor("a", 0, 2), tensor("b", 1, 3)), b"123"), |e| {
            matches!(e, HeaderError::OverlapOrHole)
        }),
        (file(&format!("{{{},{}}}", tensor("a", 0, 1), tensor("b", 2, 3)), b"123"), |e| {
            matches!(e, HeaderError::OverlapOrHole)
        }),
        (file(&format!("{{{}}}", tensor("a", 0, 1)), b"12"), |e| matches!(e, HeaderError::OverlapOrHole)),
    ];
    for (i, (file, is_expected)) in cases.iter().enumerate() {
        let error = Tensors::parse(file).expect_err("a broken file");
        assert!(is_expected(&error), "case {i}: {error:?}");
        let mut net = Line::ZERO;
        assert_eq!(net.load(file), Err(LoadError::Header(error)));
    }
}

/// Tensors in another order than their data, spaces and metadata are all within the format.
#[test]
fn unusual_but_valid() {
    let header = " { \"__metadata__\" : {\"a\":\"\\\"b\"} ,\n\"y\":{\"shape\":[2],\"data_offsets\":[1,3],\"dtype\":\"U8\"},\"e\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[1,1]},\"x\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]} }  ";
    let bytes = file(header, b"123");
    let tensors = Tensors::parse(&bytes).expect("a valid file");
    assert_eq!(tensors.len(), 3);
    assert_eq!(tensors.get("y").expect("y").data, b"23");
    assert_eq!(tensors.get("e").expect("e").shape(), [0, 7]);
}

#[test]
fn other_names() {
    let file = saved(&net());
    let ours = SafeTensors::deserialize(&file).expect("a valid file");
    let theirs = ours.tensors().into_iter().map(|(name, view)| {
        let name = name.replacen("2.1.", "body.block.", 1).replacen("3.", "head.", 1);
        (format!("model.{name}"), view)
    });
    let mut theirs: Vec<_> = theirs.collect();
    let alien = [0; 4];
    theirs.push(("optimizer.step".into(), TensorView::new(Dtype::F32, vec![1], &alien).expect("one number")));
    let theirs = serialize(theirs, None).expect("a valid file");
    let names = Names { prefix: "model.", pairs: &[("2.1", "body.block"), ("3", "head")] };
    let mut other = Net::ZERO;
    other.load_with(&theirs, &names).expect("every name translated");
    assert_eq!(other, net());
    assert!(matches!(other.load(&theirs), Err(LoadError::Missing { .. })));
}

/// Would catch: two keys that are one after both are cut.
#[test]
fn a_long_key_is_not_the_start_of_it() {
    let long = "x".repeat(130);
    let data = [0; 8];
    let view =
        |shape: &[usize]| TensorView::new(Dtype::F32, shape.to_vec(), &data[..4 * shape.iter().product::<usize>()]);
    let tensors = [(long[..128].to_string(), view(&[1, 2]).expect("two numbers"))];
    let file = serialize(tensors, None).expect("a valid file");
    let error = Line::ZERO.clone().load_with(&file, &Names { prefix: &long, pairs: &[] }).expect_err("another key");
    let shown =
        format!("tensor `{}\u{2026} (138 bytes)` is missing from the file, which has 1 others", "x".repeat(128));
    assert_eq!(error.to_string(), shown);
}

#[test]
fn a_buffer_that_is_too_small() {
    let net = net();
    let mut buffer = vec![7; net.saved_len() - 1];
    assert_eq!(net.save(&mut buffer), Err(SaveError::BufferTooSmall { needed: net.saved_len() }));
    assert!(buffer.iter().all(|&byte| byte == 7), "nothing is written");
}

/// Files: a round trip, the old one kept when the new one cannot be written, nothing left beside.
#[test]
fn files_are_replaced_whole() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("files_are_replaced_whole");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("net.safetensors");
    Net::ZERO.save_file(&path).expect("a first file");
    net().save_file(&path).expect("a second file");
    let mut other = Net::ZERO;
    other.load_file(&path).expect("the second file");
    assert_eq!(other, net());
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 1, "the file beside is gone");
    let nowhere = folder.join("nowhere/net");
    let error = net().save_file(&nowhere).expect_err("no such folder");
    assert!(matches!(&error.cause, Cause::Io(cause) if cause.kind() == std::io::ErrorKind::NotFound), "{error}");
    assert!(error.to_string().starts_with(&format!("{}: ", nowhere.display())), "{error}");
    let none = folder.join("none");
    let error = other.load_file(&none).expect_err("no such file");
    assert!(matches!(&error.cause, Cause::Io(cause) if cause.kind() == std::io::ErrorKind::NotFound), "{error}");
    assert!(error.to_string().starts_with(&format!("{}: ", none.display())), "{error}");
    std::fs::write(&none, [0; 7]).expect("a file");
    let error = other.load_file(&none).expect_err("too short");
    assert_eq!(error.to_string(), format!("{}: the file is too short to be safetensors", none.display()));
    let mut broken = net();
    broken.layers.0.bias[0] = f32::NAN;
    let error = broken.save_file(&path).expect_err("NaN");
    let sentence = "tensor `0.bias` holds a number that is not finite";
    assert_eq!(error.to_string(), format!("{}: {sentence}", path.display()));
}

type Noisy = Network<Vector<3>, (Dense<3, 8>, Tanh, Dropout, Dense<8, 2>)>;

/// Trains, saves, trains on; loads into fresh memory and trains on: the same bits, for every optimiser, through shuffling and
/// dropout.
fn continues<O: Optimizer<f32>>(optimizer: impl Fn() -> O) {
    let inputs: Vec<_> = (0..20_u8).map(|i| SVector::from([f32::from(i % 5), f32::from(i % 3), 1.0])).collect();
    let labels: Vec<_> = (0..20).map(|i| Class::<2>::const_new(i % 2)).collect();
    let data = Dataset::new(&inputs, &labels).expect("pairs");
    let new = || Trainer::<Noisy, _, _, 8>::new(optimizer(), CrossEntropy);
    let mut scaler = Standardizer::<Vector<3>>::fit(&inputs).expect("finite inputs");
    let (mut net, mut trainer) = (Noisy::ZERO, new());
    net.init(&mut StdRng::seed_from_u64(5));
    trainer.seed = 77;
    trainer.fit(&mut net, data, Fit::epochs(3), &mut ()).expect("finite");
    trainer.learning_rate_factor = 0.5;
    let checkpoint = Checkpoint { net: &mut net, trainer: &mut trainer, scaler: &mut scaler };
    let mut file = vec![0; checkpoint.saved_len()];
    checkpoint.save(&mut file).expect("room");
    SafeTensors::deserialize(&file).expect("the official reader takes it");
    let straight = trainer.fit(&mut net, data, Fit::epochs(3), &mut ()).expect("finite");

    let (mut other, mut other_trainer) = (Noisy::ZERO, new());
    let mut other_scaler = Standardizer::<Vector<3>>::ZERO;
    let mut checkpoint = Checkpoint { net: &mut other, trainer: &mut other_trainer, scaler: &mut other_scaler };
    checkpoint.load(&file).expect("our own checkpoint");
    let resumed = other_trainer.fit(&mut other, data, Fit::epochs(3), &mut ()).expect("finite");
    assert_eq!((straight, &net, &scaler), (resumed, &other, &other_scaler));
    assert_eq!((other_trainer.steps(), other_trainer.seed), (trainer.steps(), 77));
}

#[test]
fn a_checkpoint_continues_with_the_same_bits() {
    continues(|| Sgd::const_new(0.1));
    continues(|| Sgd::const_new(0.1).with_momentum(0.9).map(Momentum::nesterov).expect("in range"));
    continues(|| Adam::const_new(0.01));
    continues(|| RmsProp::const_new(0.01));
    continues(|| Adagrad::const_new(0.05).with_rate_decay(0.1).expect("in range"));
}

/// A checkpoint of another optimiser is refused and changes nothing.
#[test]
fn a_checkpoint_of_another_optimiser() {
    let (mut net, mut sgd) = (Line::ZERO, Trainer::<Line, _, _, 1>::new(Sgd::const_new(0.1), Mse));
    let mut file = [0; 2048];
    let len = Checkpoint { net: &mut net, trainer: &mut sgd, scaler: &mut () }.save(&mut file).expect("room");
    let mut adam = Trainer::<Line, _, _, 1>::new(Adam::const_new(0.1), Mse);
    let error = Checkpoint { net: &mut net, trainer: &mut adam, scaler: &mut () }.load(&file[..len]);
    assert_eq!(
        error.expect_err("no moments").to_string(),
        "tensor `optimizer.first.0.weight` is missing from the file, which has `net.0.weight` `net.0.bias` \
         `trainer.progress` `trainer.learning_rate_factor`"
    );
}

/// Would catch: two savers that share the file beside, and put half a file in place.
#[test]
fn savers_at_the_same_time() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("savers_at_the_same_time");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = &folder.join("net.safetensors");
    net().save_file(path).expect("a first file");
    std::thread::scope(|scope| {
        let savers =
            [(), ()].map(|()| scope.spawn(|| (0..50).for_each(|_| net().save_file(path).expect("a place of its own"))));
        while !savers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            Net::ZERO.clone().load_file(path).expect("the old file or the new one");
        }
    });
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 1, "nothing is left beside");
}

/// What `load` would refuse is not saved, and does not take the place of a good file.
#[test]
fn numbers_that_are_not_finite_are_not_saved() {
    let mut net = Line::ZERO;
    net.layers.0.weight[1] = f32::NAN;
    let error = net.save(&mut [0; 1024]).expect_err("NaN");
    assert_eq!(error.to_string(), "tensor `0.weight` holds a number that is not finite");
}

/// A gradient that is half accumulated is in no file, so there is no checkpoint of it.
#[test]
fn a_checkpoint_between_steps_only() {
    let (mut net, mut trainer) = (Line::ZERO, Trainer::<Line, _, _, 1>::new(Sgd::const_new(0.1), Mse));
    trainer.accumulate(&mut net, &[SVector::from([1.0, 2.0])], &[SVector::<f32, 1>::from([1.0])]);
    let saved = Checkpoint { net: &mut net, trainer: &mut trainer, scaler: &mut () }.save(&mut [0; 2048]);
    assert_eq!(saved, Err(SaveError::BetweenBatches));
    trainer.apply(&mut net).expect("finite");
    assert!(Checkpoint { net: &mut net, trainer: &mut trainer, scaler: &mut () }.save(&mut [0; 2048]).is_ok());
}
