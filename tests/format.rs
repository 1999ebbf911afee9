//! The format: our reader takes what the official one takes, however many tensors there are and however long their keys.

mod official;

use constnet::safetensors::{HeaderError, Tensors};
use official::agree;
use safetensors::tensor::{Dtype, TensorView, serialize};
use std::collections::HashMap;
use std::fmt::Write as _;

/// A header around data, with its length in front.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// Numbers at random, the same in each run: SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).expect("below a usize")
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// A good file: tensors of all types, some empty, in the order of their data or not, with and without metadata.
fn good(random: &mut Random) -> (Vec<String>, Vec<u8>) {
    let dtypes = [
        ("F32", 32),
        ("F64", 64),
        ("F16", 16),
        ("BF16", 16),
        ("U8", 8),
        ("I64", 64),
        ("BOOL", 8),
        ("F8_E4M3", 8),
        ("F8_E5M2", 8),
        ("F8_E8M0", 8),
        ("F8_E4M3FNUZ", 8),
        ("F8_E5M2FNUZ", 8),
        ("F4", 4),
        ("F6_E2M3", 6),
        ("F6_E3M2", 6),
        ("C64", 64),
        ("I8", 8),
        ("I16", 16),
        ("U16", 16),
        ("I32", 32),
        ("U32", 32),
        ("U64", 64),
    ];
    let mut entries = Vec::new();
    let mut begin = 0;
    for i in 0..random.below(6) {
        let (dtype, bits) = dtypes[random.below(dtypes.len())];
        let shape: Vec<usize> = (0..random.below(4)).map(|_| [0, 1, 2, 4, 8][random.below(5)]).collect();
        let elements: usize = shape.iter().product();
        if !(elements * bits).is_multiple_of(8) {
            continue;
        }
        let end = begin + elements * bits / 8;
        let key = random.of(&["0.weight", "a\\u0062", "é", "x\\\\y", "m.num_batches_tracked", ""]);
        entries.push(format!(r#""{key}{i}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{begin},{end}]}}"#));
        begin = end;
    }
    if random.below(3) == 0 {
        let at = random.below(entries.len());
        entries.rotate_left(at);
    }
    if random.below(2) == 0 {
        let metadata = random.of(&[r#"{"format":"pt"}"#, "{}", "null", r#"{"a":"\ud83d\ude00","a":"b"}"#]);
        entries.insert(0, format!(r#""__metadata__":{metadata}"#));
    }
    (tokens(&format!("{{{}}}", entries.join(","))), vec![7; begin])
}

/// The words of JSON text.
fn tokens(text: &str) -> Vec<String> {
    let (mut tokens, mut word, mut is_string) = (Vec::new(), String::new(), false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if is_string {
            word.push(c);
            match c {
                '\\' => word.extend(chars.next()),
                '"' => {
                    is_string = false;
                    tokens.push(std::mem::take(&mut word));
                }
                _ => {}
            }
        } else if c.is_ascii_digit() {
            word.push(c);
        } else {
            tokens.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            is_string = c == '"';
            if is_string { word.push(c) } else { tokens.push(c.to_string()) }
        }
    }
    tokens
}

const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "0",
    "1",
    "01",
    "-1",
    "1.0",
    "1e2",
    "1e999",
    "-",
    "null",
    "true",
    "nul",
    "{}",
    "[]",
    " ",
    "\t",
    "\"\"",
    "\"dtype\"",
    "\"shape\"",
    "\"data_offsets\"",
    "\"F32\"",
    "\"C64\"",
    "\"F7\"",
    "\"\\ud800\"",
    "\"\\u00e9\"",
    "\"\\x\"",
    "\"dt\\u0079pe\"",
    "\"__met\\u0061data__\"",
    "\"__metadata__\"",
    "18446744073709551615",
    "18446744073709551616",
    "[0,0]",
    "\"__metadata__\":null,",
    "\"__metadata__\":{\"a\":\"b\"},",
    "\"x\":{\"y\":[1.5e-3,{\"z\":null}]},",
    "\"x\":-0,",
    "\"x\":1e999,",
    ",\"e\":{\"dtype\":\"F32\",\"shape\":[0,9223372036854775807,3],\"data_offsets\":[0,0]}",
    "{\"F32\":null}",
    "\"n\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},",
    "\"n\":[\"U8\",[0],[0,0]],",
];

/// Changes a header by words or a file by bytes.
fn changed(random: &mut Random, mut tokens: Vec<String>, mut data: Vec<u8>) -> Vec<u8> {
    for _ in 0..random.below(4) {
        let (at, other) = (random.below(tokens.len()), random.below(tokens.len()));
        match random.below(7) {
            0 => tokens[at] = random.of(WORDS).into(),
            1 => tokens.insert(at, random.of(WORDS).into()),
            2 if tokens.len() > 1 => drop(tokens.remove(at)),
            3 => {
                let other = tokens[other].clone();
                tokens[at] = other;
            }
            4 => tokens.swap(at, other),
            5 => {
                if let Ok(number) = tokens[at].parse::<u64>() {
                    tokens[at] = number.wrapping_add(random.next() % 3).wrapping_sub(1).to_string();
                } else if let Some(c) = tokens[at].chars().nth(1).filter(|_| tokens[at].starts_with('"')) {
                    tokens[at] = tokens[at].replacen(c, &format!("\\u{:04x}", u32::from(c)), 1);
                }
            }
            _ => data.resize((data.len() + random.below(3)).saturating_sub(1), 1),
        }
    }
    let mut file = file(&tokens.concat(), &data);
    if random.below(8) == 0 {
        let at = random.below(file.len());
        file[at] ^= 1 << random.below(8);
    }
    file
}

/// Would catch: a file that one of the two readers takes and the other refuses, or that they read differently.
#[test]
fn both_readers_agree_on_changed_files() {
    let mut random = Random(1);
    let mut taken = 0;
    for _ in 0..50_000 {
        let (tokens, data) = good(&mut random);
        taken += usize::from(agree(&changed(&mut random, tokens, data)));
    }
    assert!((10_000..40_000).contains(&taken), "{taken} of 50,000 are good: the changes test one side only");
}

/// Each difference that has been found, in either direction.
#[test]
fn both_readers_agree_on_these() {
    let tensor = |fields: &str| file(&format!(r#"{{"a":{{{fields}}}}}"#), b"1234");
    let good = r#""dtype":"F32","shape":[1],"data_offsets":[0,4]"#;
    let nested = |depth: usize| tensor(&format!(r#"{good},"x":{}{}"#, "[".repeat(depth), "]".repeat(depth)));
    let cases = [
        (true, tensor(good)),
        (true, file(r#"{"__metadata__":null}"#, b"")),
        (false, file(r#"{"__metadata__":{},"__metadata__":{}}"#, b"")),
        (false, file(r#"{"__metadata__":null,"__metadata__":null}"#, b"")),
        (false, file(r#"{"__metadata__":{"a":"\q"}}"#, b"")),
        (false, file(r#"{"__metadata__":{"a":"\ud800"}}"#, b"")),
        (false, file(r#"{"__metadata__":{"a":"\ud800\u0041"}}"#, b"")),
        (false, file(r#"{"__metadata__":{"a":"\udc00"}}"#, b"")),
        (false, file(r#"{"__metadata__":{"a":"\u00g0"}}"#, b"")),
        (false, file(r#"{"__metadata__":{"a":1}}"#, b"")),
        (true, file(r#"{"__metadata__":{"a":"\ud83d\ude00\u0000\/\b"}}"#, b"")),
        (true, tensor(&format!(r#"{good},"stride":[1],"more":{{"of":[null,true,-1.5e+3,"\n"]}}"#))),
        (false, tensor(&format!(r#"{good},"stride":[1"#))),
        (false, tensor(&format!(r#"{good},"stride":[01]"#))),
        (false, tensor(&format!(r#"{good},"stride":"\x""#))),
        (false, tensor(&format!("{good},"))),
        (false, tensor(&format!(r#"{good},"dtype":"F32""#))),
        (false, tensor(r#""dtype":"F32","shape":[1]"#)),
        (true, nested(125)),
        (false, nested(126)),
        (true, tensor(r#""dtyp\u0065":"\u00463\u0032","shape":[1],"data_offsets":[0,4]"#)),
        (true, tensor(r#""dtype":"F8_E8M0","shape":[4],"data_offsets":[0,4]"#)),
        (true, tensor(r#""dtype":"F4","shape":[2,4],"data_offsets":[0,4]"#)),
        (false, tensor(r#""dtype":"F4","shape":[7],"data_offsets":[0,4]"#)),
        (false, tensor(r#""dtype":"F7","shape":[4],"data_offsets":[0,4]"#)),
        (true, tensor(r#""dtype":"U8","shape":[1,1,1,1,1,1,1,1,4],"data_offsets":[0,4]"#)),
        (true, file(r#"{"a":{"dtype":"F64","shape":[2305843009213693952,0],"data_offsets":[0,0]}}"#, b"")),
        (
            false,
            file(
                r#"{"a":{"dtype":"F64","shape":[9223372036854775807,9223372036854775807,0],"data_offsets":[0,0]}}"#,
                b"",
            ),
        ),
        (true, file(r#"{"\u0061\"\\":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}"#, b"1")),
        (
            false,
            file(
                r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
                b"12",
            ),
        ),
    ];
    for (i, (is_good, file)) in cases.iter().enumerate() {
        assert_eq!(agree(file), *is_good, "case {i}: {}", String::from_utf8_lossy(&file[8..]));
    }
}

type Line = constnet::Network<constnet::Vector<2>, (constnet::Dense<2, 1>,)>;

/// Would catch: an escape that is resolved in one place and not in another.
#[test]
fn keys_with_escapes_are_found() {
    let bytes = file(
        r#"{"0.w\u0065ight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"\u0030.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#,
        &[0; 12],
    );
    Line::ZERO.clone().load(&bytes).expect("both keys");
    let tensors = Tensors::parse(&bytes).expect("a valid file");
    assert_eq!(tensors.iter().map(|view| view.key().to_string()).collect::<Vec<_>>(), ["0.weight", "0.bias"]);
    assert!(tensors.get("0.bias").is_some() && tensors.get(r"\u0030.bias").is_none());
}

/// A type that no network takes may lie in a file, and is named where it is asked for.
#[test]
fn a_type_that_no_network_takes_is_named() {
    let header = |prefix: &str| {
        format!(
            r#"{{"{prefix}weight":{{"dtype":"C64","shape":[1,2],"data_offsets":[0,16]}},"0.bias":{{"dtype":"F32","shape":[1],"data_offsets":[16,20]}}}}"#
        )
    };
    let error = Line::ZERO.clone().load(&file(&header("0."), &[0; 20])).expect_err("C64");
    assert_eq!(error.to_string(), "tensor `0.weight` is C64, which does not widen to the network's F32");
    assert!(Tensors::parse(&file(&header("x."), &[0; 20])).is_ok());
}

/// 20,000 tensors in a header of more than 2 MB: in the order of the official writer, in none at all, and with one key twice.
///
/// Would catch: a limit, and an order that takes minutes; in an unoptimised build a pass over the header takes 0.1 s.
#[test]
fn twenty_thousand_tensors() {
    let keys: Vec<_> =
        (0..20_000).map(|i| format!("model.layers.{}.mlp.experts.{}.down_proj.weight", i / 100, i % 100)).collect();
    let data = vec![0; 16];
    let views = keys.iter().map(|key| (key, TensorView::new(Dtype::F32, vec![2, 2], &data).expect("four numbers")));
    let bytes = serialize(views, None).expect("a valid file");
    assert!(u64::from_le_bytes(*bytes.first_chunk().expect("a length")) > 2_000_000);
    assert_eq!(Tensors::parse(&bytes).map(|tensors| tensors.len()), Ok(20_000));
}

/// A thousand tensors whose keys and places are in no order: each pass finds 64 of them.
#[test]
fn tensors_in_no_order() {
    let mut random = Random(3);
    let mut places: Vec<usize> = (0..1000).collect();
    (1..1000).rev().for_each(|i| places.swap(i, random.below(i + 1)));
    let header = |key: &dyn Fn(usize) -> usize, begin: &dyn Fn(usize) -> usize| {
        let mut header = String::from("{");
        for &place in &places {
            let (begin, comma) = (begin(place), if header.len() > 1 { "," } else { "" });
            let key = (key(place) * 7919) % 1000;
            write!(header, r#"{comma}"{key}":{{"dtype":"U8","shape":[2],"data_offsets":[{begin},{}]}}"#, begin + 2)
                .expect("a string");
        }
        file(&(header + "}"), &[0; 2000])
    };
    assert!(agree(&header(&|place| place, &|place| 2 * place)));
    for (a, b) in [(0, 999), (500, 501), (64, 63), (998, 3)] {
        let twice = header(&|place| if place == a { b } else { place }, &|place| 2 * place);
        assert_eq!(Tensors::parse(&twice).err(), Some(HeaderError::DuplicateKey), "{a} and {b}");
        let overlap = header(&|place| place, &|place| 2 * if place == a { b } else { place });
        assert_eq!(Tensors::parse(&overlap).err(), Some(HeaderError::OverlapOrHole), "{a} and {b}");
        let shifted = header(&|place| place, &|place| 2 * place - usize::from(place == a.max(1)));
        assert_eq!(Tensors::parse(&shifted).err(), Some(HeaderError::OverlapOrHole), "{a}");
    }
}

/// The official writer's own files of many types are read, and each tensor is the right one.
#[test]
fn many_tensors_of_many_types() {
    let data: Vec<u8> = (0..=255).cycle().take(8 * 300).collect();
    let all: HashMap<_, _> = (0..300_usize)
        .map(|i| {
            let (dtype, bytes) = [(Dtype::F32, 4), (Dtype::F16, 2), (Dtype::I64, 8), (Dtype::BOOL, 1)][i % 4];
            let view = TensorView::new(dtype, vec![1], &data[8 * i..8 * i + bytes]).expect("one number");
            (format!("{}.{}", i / 7, i % 7), view)
        })
        .collect();
    assert!(agree(&serialize(&all, None).expect("a valid file")));
}
