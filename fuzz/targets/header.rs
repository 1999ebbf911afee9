//! A header that is accepted describes tensors that cover the data once, each as long as its shape says, each found by its key.
#![no_main]

use constnet::safetensors::Tensors;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let tensors = match Tensors::parse(file) {
        Ok(tensors) => tensors,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let mut spans = Vec::new();
    for view in tensors.iter() {
        let elements = view.shape().iter().product::<usize>();
        assert!(view.dimensions() > 8 || elements * view.dtype.bits() == 8 * view.data.len());
        assert!(view.dimensions() > 8 || view.has_shape(view.shape()));
        let begin = view.data.as_ptr() as usize - file.as_ptr() as usize;
        spans.push((begin, begin + view.data.len()));
        let key = view.key();
        let found = tensors.get(&key.to_string()).expect("a key of the file");
        assert_eq!((found.data.as_ptr(), found.shape()), (view.data.as_ptr(), view.shape()));
        assert!(!format!("{view:?} {key} {}", view.dtype).is_empty());
    }
    assert_eq!(spans.len(), tensors.len());
    assert_eq!(tensors.is_empty(), spans.is_empty());
    assert!(
        tensors.get("no such key, since it is longer than the keys of the files that the fuzzer was given").is_none()
    );
    spans.sort_unstable();
    if let (Some(first), Some(last)) = (spans.first(), spans.last()) {
        let header = usize::from(file[0]) + 256 * usize::from(file[1]) + 65536 * usize::from(file[2]);
        assert_eq!((first.0, last.1), (8 + header, file.len()));
    }
    assert!(spans.windows(2).all(|pair| pair[0].1 == pair[1].0), "an overlap or a hole: {spans:?}");
});
