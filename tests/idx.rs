//! The IDX reader of the example `mnist`: it reads what is right and refuses what is not.

#[path = "../examples/support/idx.rs"]
mod idx;

use idx::{IdxError, images, labels};

/// A header of big-endian numbers, and the bytes after it.
fn file(header: &[u32], content: &[u8]) -> Vec<u8> {
    header.iter().flat_map(|number| number.to_be_bytes()).chain(content.iter().copied()).collect()
}

#[test]
fn images_come_row_by_row() {
    let file = file(&[0x0803, 2, 2, 3], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    assert_eq!(images::<2, 3>(&file).unwrap(), [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]);
}

#[test]
fn labels_come_in_order() {
    assert_eq!(labels(&file(&[0x0801, 3], &[7, 0, 255])).unwrap(), [7, 0, 255]);
}

#[test]
fn empty_sets_are_read() {
    assert!(images::<2, 3>(&file(&[0x0803, 0, 2, 3], &[])).unwrap().is_empty());
    assert!(labels(&file(&[0x0801, 0], &[])).unwrap().is_empty());
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let images_file = file(&[0x0803, 1, 2, 3], &[1, 2, 3, 4, 5, 6]);
    for length in 0..16 {
        let error = images::<2, 3>(&images_file[..length]).unwrap_err();
        assert_eq!(error, IdxError::Header { bytes: length, wanted: 16 });
    }
    for length in 16..images_file.len() {
        let error = images::<2, 3>(&images_file[..length]).unwrap_err();
        assert_eq!(error, IdxError::Length { bytes: length, wanted: 22 });
    }
    let labels_file = file(&[0x0801, 2], &[1, 2]);
    for length in 0..labels_file.len() {
        assert!(labels(&labels_file[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn a_file_with_bytes_left_over_is_refused() {
    let error = labels(&file(&[0x0801, 2], &[1, 2, 3])).unwrap_err();
    assert_eq!(error.to_string(), "the file has 11 bytes, and by its header should have 10: it is damaged");
}

#[test]
fn another_kind_of_file_is_refused() {
    let error = images::<2, 3>(&file(&[0x0801, 2], &[1, 2])).unwrap_err();
    assert_eq!(error.to_string(), "the file starts with 0x00000801, and should with 0x00000803");
    let error = labels(&[0x1f, 0x8b, 8, 0]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file starts with 0x1f8b0800, and should with 0x00000801: it is compressed, unpack it first"
    );
}

#[test]
fn images_of_another_size_are_refused() {
    let error = images::<28, 28>(&file(&[0x0803, 1, 2, 3], &[1, 2, 3, 4, 5, 6])).unwrap_err();
    assert_eq!(error.to_string(), "the images are 2x3, and should be 28x28");
}

#[test]
fn a_header_that_promises_too_much_does_not_overflow() {
    let error = images::<28, 28>(&file(&[0x0803, u32::MAX, 28, 28], &[])).unwrap_err();
    assert_eq!(error, IdxError::Length { bytes: 16, wanted: 16 + u64::from(u32::MAX) * 784 });
}
