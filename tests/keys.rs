//! Keys of any length and tensors in any number: what is saved can be loaded, and an error that names a key says when it is not all of
//! it.

use constnet::layer::{Bound, Parameter, Path, Role};
use constnet::loss::Mse;
use constnet::nalgebra::SVector;
use constnet::optimizer::Adam;
use constnet::safetensors::{Archive, Entry, File, Names, SaveError, Tensors, Values, ValuesMut};
use constnet::train::{Checkpoint, Trainer};
use constnet::{Dense, Network, Vector};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};

type One = Dense<1, 1>;
type Sixteen = (One, One, One, One, One, One, One, One, One, One, One, One, One, One, One, One);
type All = (Sixteen, Sixteen, Sixteen, Sixteen, Sixteen, Sixteen, Sixteen, Sixteen, Sixteen, Sixteen, Sixteen);
type Deep = Network<Vector<1>, All>;
type Short = Network<Vector<1>, (One,)>;

/// 176 layers and Adam are 1,059 tensors: more than the 1,024 that `load` once took.
#[test]
fn a_checkpoint_of_176_layers() {
    let new = || (Box::new(Deep::ZERO), Trainer::<Deep, _, _, 1>::new(Adam::const_new(0.1), Mse));
    let (mut net, mut trainer) = new();
    net.layers.10.15.bias[0] = 3.0;
    trainer.step(&mut *net, &[SVector::<f32, 1>::from([1.0])], &[SVector::<f32, 1>::from([1.0])]);
    let checkpoint = Checkpoint { net: &mut *net, trainer: &mut trainer, scaler: &mut () };
    let mut file = vec![0; checkpoint.saved_len()];
    checkpoint.save(&mut file).expect("room");
    assert_eq!(Tensors::parse(&file).map(|tensors| tensors.len()), Ok(3 * 352 + 3));
    let (mut other, mut trainer) = new();
    Checkpoint { net: &mut *other, trainer: &mut trainer, scaler: &mut () }.load(&file).expect("our own checkpoint");
    assert_eq!(
        saved(other.saved_len(), |buffer| other.save(buffer)),
        saved(net.saved_len(), |buffer| net.save(buffer))
    );
    // The official writer has another order, in which no search goes on from the one before.
    let theirs = serialize(SafeTensors::deserialize(&file).expect("a valid file").tensors(), None).expect("tensors");
    let (mut other, mut trainer) = new();
    Checkpoint { net: &mut *other, trainer: &mut trainer, scaler: &mut () }.load(&theirs).expect("the same tensors");
    assert_eq!(
        saved(other.saved_len(), |buffer| other.save(buffer)),
        saved(net.saved_len(), |buffer| net.save(buffer))
    );
}

/// Lists of numbers under names of any kind.
#[derive(Debug, Clone, PartialEq)]
struct Lists(Vec<(&'static str, Vec<f32>)>);

fn entry(name: &'static str, len: usize, f: impl FnOnce(&Entry<'_>)) {
    let role = Role::Bias { fan_in: 0 };
    let parameter = Parameter { path: Path::Root, name, role, shape: &[len], order: &[0] };
    f(&Entry { section: ["lists.", ""], parameter: &parameter, bound: Bound::Finite });
}

impl Archive for Lists {
    fn entries(&self, f: &mut dyn FnMut(&Entry<'_>, Values<'_>)) {
        for (name, list) in &self.0 {
            entry(name, list.len(), |entry| f(entry, Values::F32(list)));
        }
    }

    fn entries_mut(&mut self, f: &mut dyn FnMut(&Entry<'_>, ValuesMut<'_>)) {
        for (name, list) in &mut self.0 {
            entry(name, list.len(), |entry| f(entry, ValuesMut::F32(list)));
        }
    }
}

/// A checkpoint with these lists in the place of a scaler: the way of a user's own archive into a file.
fn through_a_file(mut lists: Lists) -> Result<(Lists, Vec<u8>), SaveError> {
    let (mut net, mut trainer) = (Short::ZERO, Trainer::<Short, _, _, 1>::new(Adam::const_new(0.1), Mse));
    let checkpoint = Checkpoint { net: &mut net, trainer: &mut trainer, scaler: &mut lists };
    let mut file = vec![0; checkpoint.saved_len()];
    checkpoint.save(&mut file)?;
    let mut empty = Lists(lists.0.iter().map(|(name, list)| (*name, vec![0.0; list.len()])).collect());
    let mut checkpoint = Checkpoint { net: &mut net, trainer: &mut trainer, scaler: &mut empty };
    checkpoint.load(&file).unwrap_or_else(|error| panic!("saved, and not loaded: {error}"));
    Ok((empty, file))
}

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Would catch: keys that are cut, keys that JSON must escape, and two that agree in their first 128 bytes.
#[test]
fn keys_of_any_kind_and_length() {
    let long = "k".repeat(150);
    let names = [leaked(format!("{long}a")), leaked(format!("{long}b")), "a\"b\\c\n\u{1}d", "\u{e9}\u{1f600}", ""];
    let lists = Lists(names.iter().zip(1_u8..).map(|(name, i)| (*name, vec![f32::from(i); 3])).collect());
    let (loaded, file) = through_a_file(lists.clone()).expect("five keys");
    assert_eq!(loaded, lists);
    let theirs = SafeTensors::deserialize(&file).expect("a valid file");
    for name in names {
        theirs.tensor(&format!("scaler.{name}")).expect("the official reader has the same keys");
    }
}

/// Would catch: a limit on the number, or a time that grows with the square of it.
#[test]
fn three_thousand_lists() {
    let lists = Lists(
        (0..3000_u16)
            .map(|i| (leaked(format!("{}.{}", i / 2, ["w", "b"][i as usize % 2])), vec![f32::from(i)]))
            .collect(),
    );
    let (loaded, _) = through_a_file(lists.clone()).expect("different keys");
    assert_eq!(loaded, lists);
}

/// A tensor of six numbers whose shape and order are these.
struct Wrong(&'static [usize], &'static [usize]);

impl Archive for Wrong {
    fn entries(&self, f: &mut dyn FnMut(&Entry<'_>, Values<'_>)) {
        let role = Role::Bias { fan_in: 0 };
        let parameter = Parameter { path: Path::Root, name: "w", role, shape: self.0, order: self.1 };
        f(&Entry { section: ["", ""], parameter: &parameter, bound: Bound::Finite }, Values::F32(&[0.0; 6]));
    }
    fn entries_mut(&mut self, _: &mut dyn FnMut(&Entry<'_>, ValuesMut<'_>)) {}
}

/// Would catch: a file that `save` writes and `load` refuses.
#[test]
fn what_cannot_be_loaded_is_not_saved() {
    let twice = |at: usize| {
        let mut names: Vec<_> = (0..200).map(|i| leaked(i.to_string())).collect();
        names[at] = "100";
        through_a_file(Lists(names.into_iter().map(|name| (name, vec![1.0])).collect()))
    };
    for at in [0, 99, 101, 199] {
        let error = twice(at).expect_err("a key twice").to_string();
        assert_eq!(error, "key `scaler.100` is another tensor's already, or the format's own", "{at}");
    }
    twice(100).expect("all different");

    let (mut net, mut trainer) = (Short::ZERO, Trainer::<Short, _, _, 1>::new(Adam::const_new(0.1), Mse));
    let mut save = |shape, order| {
        let mut wrong = Wrong(shape, order);
        Checkpoint { net: &mut net, trainer: &mut trainer, scaler: &mut wrong }.save(&mut [0; 4096])
    };
    assert!(save(&[2, 3], &[1, 0]).is_ok());
    let wrong: [(&[usize], &[usize]); 4] =
        [(&[2, 2], &[0, 1]), (&[2, 3], &[0, 0]), (&[2, 3], &[0]), (&[usize::MAX, 3], &[0, 1])];
    for (shape, order) in wrong {
        let error = save(shape, order).expect_err("another shape or order");
        assert_eq!(error.to_string(), "tensor `scaler.w` has another shape or order than its numbers");
    }
}

type Line = Network<Vector<2>, (Dense<2, 1>,)>;
type Bare = Network<Vector<2>, Dense<2, 1>>;
type Inner = Network<Vector<2>, ((Dense<2, 1>,),)>;

fn saved(len: usize, save: impl FnOnce(&mut [u8]) -> Result<usize, SaveError>) -> Vec<u8> {
    let mut file = vec![0; len];
    assert_eq!(save(&mut file), Ok(len));
    file
}

/// Would catch: a missing comma that is told as a missing tensor, wherever the tuple stands.
#[test]
fn a_comma_too_few_or_too_many() {
    let (bare, line, inner) = (Bare::ZERO, Line::ZERO, Inner::ZERO);
    let bare = saved(bare.saved_len(), |buffer| bare.save(buffer));
    let line = saved(line.saved_len(), |buffer| line.save(buffer));
    let inner = saved(inner.saved_len(), |buffer| inner.save(buffer));
    let few = "was it saved by a network whose layers are not a tuple, `(Dense<64, 10>)` without a comma?";
    let many = "was it saved by a network whose layers are a tuple, `(Dense<64, 10>,)` with a comma?";
    let cases = [
        (Line::ZERO.clone().load(&bare), "0.weight", "weight", few),
        (Inner::ZERO.clone().load(&line), "0.0.weight", "0.weight", few),
        (Bare::ZERO.clone().load(&line), "weight", "0.weight", many),
        (Line::ZERO.clone().load(&inner), "0.weight", "0.0.weight", many),
    ];
    for (result, wanted, found, question) in cases {
        let sentence = format!("tensor `{wanted}` is missing from the file, which has `{found}`: {question}");
        assert_eq!(result.expect_err("another network's").to_string(), sentence);
    }
    let renamed = Names { prefix: "m.", pairs: &[("0", "fc")] };
    let data = [0; 8];
    let tensors = [("m.weight", TensorView::new(Dtype::F32, vec![1, 2], &data).expect("two numbers"))];
    let error = Line::ZERO.clone().load_with(&serialize(tensors, None).expect("a valid file"), &renamed);
    let sentence = format!("tensor `m.fc.weight` is missing from the file, which has `m.weight`: {few}");
    assert_eq!(error.expect_err("without a comma").to_string(), sentence);
}

/// A file that lacks a tensor has others: as many as there is room for.
#[test]
fn what_the_file_has_instead() {
    let data = [0; 4];
    let view = || TensorView::new(Dtype::F32, vec![1], &data).expect("a number");
    let error = |keys: &[String]| {
        let file = serialize(keys.iter().map(|key| (key, view())), None).expect("a valid file");
        Line::ZERO.clone().load(&file).expect_err("no such keys").to_string()
    };
    let few = error(&["fc1.bias".into(), "fc1.weight".into()]);
    assert_eq!(few, "tensor `0.weight` is missing from the file, which has `fc1.bias` `fc1.weight`");
    let many = error(&(0..1000).map(|i| format!("layers.{i:03}.weight")).collect::<Vec<_>>());
    let first = (0..6).map(|i| format!("`layers.{i:03}.weight`")).collect::<Vec<_>>().join(" ");
    assert_eq!(many, format!("tensor `0.weight` is missing from the file, which has {first} and 994 more"));
    assert!(error(&[]).ends_with("which has no tensors"));
}

/// Would catch: a long key that is found by its first bytes, or that an error shows as if it were all.
#[test]
fn long_prefixes() {
    let prefix = leaked("\u{e9}.".repeat(70));
    let names = Names { prefix, pairs: &[("0", "fc")] };
    let data = [0; 8];
    let tensors = |end: &str| {
        let [weight, bias] = ["weight", "bias"].map(|name| format!("{prefix}fc.{name}{end}"));
        let weight = (weight, TensorView::new(Dtype::F32, vec![1, 2], &data).expect("two numbers"));
        let bias = (bias, TensorView::new(Dtype::F32, vec![1], &data[..4]).expect("a number"));
        serialize([weight, bias], None).expect("a valid file")
    };
    let mut net = Line::ZERO;
    net.load_with(&tensors(""), &names).expect("both keys");
    let error = net.load_with(&tensors("x"), &names).expect_err("other keys").to_string();
    let shown = "\u{e9}.".repeat(42) + "\u{e9}";
    assert_eq!(error, format!("tensor `{shown}\u{2026} (219 bytes)` is missing from the file, which has 2 others"));
    assert_eq!(names.translate("0.weight").to_string(), format!("{prefix}fc.weight"));
    assert_eq!(names.translate("1.weight").to_string(), format!("{prefix}1.weight"));
}

/// The prefix in a constant: 130 bytes.
macro_rules! long {
    () => {
        "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\
         kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk."
    };
}

const HEADER: &str = concat!(
    r#"{"f":{"dtype":"F8_E8M0","shape":[4],"data_offsets":[0,4]},""#,
    long!(),
    r#"0.weigh\u0074":{"dtype":"F32","shape":[1,2],"data_offsets":[4,12],"x":[]},""#,
    long!(),
    r#"0.bias":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}"#
);

const fn constant_file() -> [u8; 8 + HEADER.len() + 16] {
    let mut file = [0; 8 + HEADER.len() + 16];
    file.split_at_mut(8).0.copy_from_slice(&(HEADER.len() as u64).to_le_bytes());
    file.split_at_mut(8).1.split_at_mut(HEADER.len()).0.copy_from_slice(HEADER.as_bytes());
    let data = file.split_at_mut(8 + HEADER.len()).1;
    data.split_at_mut(4).1.copy_from_slice(b"\0\0 A\0\0\0A\0\0 A");
    file
}

/// The same in a constant: keys of more than 130 bytes, an escape, a field and a type that nobody asks for.
#[test]
fn long_keys_in_constants() {
    struct Weights;
    impl File for Weights {
        const BYTES: &'static [u8] = &constant_file();
        const NAMES: Names<'static> = Names { prefix: long!(), pairs: &[] };
    }
    static NET: Line = Line::from_file::<Weights>();
    assert_eq!((NET.layers.0.weight.as_slice(), NET.layers.0.bias[0].to_bits()), (&[10.0, 8.0][..], 10_f32.to_bits()));
}

/// Would catch: two parameters that read one tensor, and hide that the file holds another that nobody reads.
#[test]
fn two_parameters_of_one_tensor() {
    type Two = Network<Vector<1>, (One, One)>;
    let names = Names { prefix: "", pairs: &[("0", "a"), ("1", "a")] };
    let data = [0; 4];
    let file = |layers: &[&str]| {
        let all = layers.iter().flat_map(|layer| [(layer, "weight", vec![1, 1]), (layer, "bias", vec![1])]);
        let views = all.map(|(layer, name, shape)| {
            (format!("{layer}.{name}"), TensorView::new(Dtype::F32, shape, &data).expect("a number"))
        });
        serialize(views, None).expect("a valid file")
    };
    Two::ZERO.clone().load_with(&file(&["a"]), &names).expect("both layers are the same");
    let error = Two::ZERO.clone().load_with(&file(&["a", "b"]), &names).expect_err("nobody reads `b`");
    assert_eq!(error.to_string(), "the network has no place for tensor `b.bias`");
}
