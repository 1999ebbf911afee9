//! What `save_file` does to what is there already, and what is left when it is killed.
#![cfg(all(unix, feature = "std"))]

use constnet::safetensors::{Cause, FileError, SaveError};
use constnet::{Dense, Network, Vector};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

type Net = Network<Vector<2>, (Dense<2, 1>,)>;

fn net(bias: f32) -> Net {
    let mut net = Net::ZERO;
    net.layers.0.bias[0] = bias;
    net
}

fn bias(path: &Path) -> f32 {
    let mut net = Net::ZERO;
    net.load_file(path).expect("a whole file");
    net.layers.0.bias[0]
}

/// An empty folder of this name.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("files").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn io_kind(result: Result<(), FileError<SaveError>>) -> Option<ErrorKind> {
    match result {
        Err(FileError { cause: Cause::Io(error), .. }) => Some(error.kind()),
        _ => None,
    }
}

/// Would catch: a link that becomes a file, and a link to nothing that is not followed.
#[test]
#[allow(clippy::float_cmp)] // What is saved is loaded to the bit.
fn links_are_followed() {
    let folder = folder("links");
    fs::create_dir(folder.join("there")).expect("a folder");
    let target = folder.join("there/net");
    let (link, relative) = (folder.join("link"), folder.join("relative"));
    symlink(&target, &link).expect("a link");
    symlink("link", &relative).expect("a link to a link");
    for (saved, number) in [(&link, 1.0), (&relative, 2.0), (&target, 3.0)] {
        net(number).save_file(saved).expect("a place to write to");
        assert_eq!(bias(&target), number);
        assert!(fs::symlink_metadata(&link).expect("the link").is_symlink());
        assert!(fs::symlink_metadata(&relative).expect("the link").is_symlink());
    }
    assert_eq!(names(&folder), ["link", "relative", "there"]);
    assert_eq!(names(&folder.join("there")), ["net"]);
    symlink("round", folder.join("round")).expect("a link");
    assert!(net(0.0).save_file(folder.join("round")).is_err(), "a link to itself");
}

/// Would catch: a mode, an owner or a group that is lost, and a secret file that others can read for a moment.
#[test]
fn mode_and_owner_are_kept() {
    let folder = folder("mode");
    let path = folder.join("net");
    net(1.0).save_file(&path).expect("a new file");
    let is_root = fs::metadata(&path).expect("the file").uid() == 0;
    for mode in [0o600, 0o640, 0o664, 0o777] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("our own file");
        net(2.0).save_file(&path).expect("our own file");
        assert_eq!(fs::metadata(&path).expect("the file").mode() & 0o7777, mode);
    }
    if is_root {
        chown(&path, Some(1234), Some(4321)).expect("root may");
        net(3.0).save_file(&path).expect("root may");
        let metadata = fs::metadata(&path).expect("the file");
        assert_eq!((metadata.uid(), metadata.gid(), metadata.mode() & 0o7777), (1234, 4321, 0o777));
    } else {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("our own file");
        assert_eq!(io_kind(net(4.0).save_file(&path)), Some(ErrorKind::PermissionDenied), "read-only");
    }
    assert_eq!(names(&folder), ["net"]);
}

/// Would catch: a device, a pipe or a folder that a file takes the place of.
#[test]
fn only_regular_files_are_replaced() {
    let folder = folder("irregular");
    let [pipe, device, socket, inside] = ["pipe", "device", "socket", "folder"].map(|name| folder.join(name));
    let made = |command: &mut Command| command.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    assert!(made(Command::new("mkfifo").arg(&pipe)));
    fs::create_dir(&inside).expect("a folder");
    let _socket = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    let mut paths = vec![&pipe, &socket, &inside];
    // Only root may make one.
    if made(Command::new("mknod").arg(&device).args(["c", "1", "3"])) {
        paths.push(&device);
    }
    let kinds = || paths.iter().map(|path| fs::symlink_metadata(path).map(|there| there.file_type()));
    let before: Vec<_> = kinds().map(|kind| kind.expect("a file")).collect();
    for path in &paths {
        assert_eq!(io_kind(net(1.0).save_file(path)), Some(ErrorKind::InvalidInput), "{}", path.display());
    }
    let error = net(1.0).save_file(&pipe).expect_err("a pipe");
    assert_eq!(error.to_string(), format!("{}: this is not a regular file", pipe.display()));
    assert!(kinds().map(|kind| kind.expect("the file")).eq(before));
    assert_eq!(names(&folder).len(), paths.len());
}

/// Would catch: a name beside it that is too long where its own is not.
#[test]
#[allow(clippy::float_cmp)] // What is saved is loaded to the bit.
fn the_longest_names_are_saved() {
    let folder = folder("names");
    for len in [250, 255] {
        let path = folder.join("n".repeat(len));
        net(1.0).save_file(&path).expect("a name that the system takes");
        assert_eq!(bias(&path), 1.0);
    }
    assert_eq!(names(&folder).len(), 2);
    assert!(net(1.0).save_file(folder.join("..")).is_err());
}

type Large = Network<Vector<256>, (Dense<256, 256>,)>;

fn large(bias: f32) -> Box<Large> {
    let mut net = Box::new(Large::ZERO);
    net.layers.0.bias.fill(bias);
    net
}

/// What the child does until it is killed: it saves one network, then another, over and over.
#[test]
fn child_that_saves() {
    let Some(path) = std::env::var_os("CONSTNET_SAVE_TO") else { return };
    let nets = [large(1.0), large(2.0)];
    loop {
        for net in &nets {
            net.save_file(&path).expect("a file that can be written");
        }
    }
}

/// Starts the saver above in a process of its own.
fn child(path: &Path) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", "child_that_saves"]).env("CONSTNET_SAVE_TO", path);
    command.stdout(Stdio::null()).spawn().expect("a process")
}

/// Two savers at once, in processes that are killed while they write, thirty times.
///
/// Would catch: half a file in the place of a whole one; files that nobody removes; a live saver's file that another removes.
#[test]
fn a_killed_saver_leaves_the_old_file() {
    let folder = folder("killed");
    let path = folder.join("net");
    large(1.0).save_file(&path).expect("a first file");
    let mut left = 0;
    for round in 0..30 {
        let mut children = [child(&path), child(&path)];
        let start = Instant::now();
        // Killed while there is a file beside, at another moment of its writing each time.
        while names(&folder).len() < 2 && start.elapsed() < Duration::from_secs(60) {}
        std::thread::sleep(Duration::from_micros(400 * round));
        for child in &mut children {
            assert!(child.try_wait().expect("a child").is_none(), "it saves until it is killed");
            child.kill().expect("our own child");
            child.wait().expect("our own child");
        }
        left += names(&folder).len() - 1;
        let mut net = large(0.0);
        net.load_file(&path).expect("the old file or the new one");
        let first = net.layers.0.bias[0];
        assert!([1.0, 2.0].contains(&first) && net.layers.0.bias.iter().all(|&bias| bias.to_bits() == first.to_bits()));
        assert!(names(&folder).len() <= 3, "each of the two leaves one: {:?}", names(&folder));
    }
    assert!(left > 0, "no saver was killed while it wrote: this test shows nothing");
    large(1.0).save_file(&path).expect("a last file");
    assert_eq!(names(&folder), ["net"], "nothing is left");
}

/// Would catch: a saver that takes the file of one that lives, or that of another network, for one that a dead saver has left.
#[test]
fn what_others_have_beside_is_left_alone() {
    let folder = folder("others");
    let path = folder.join("net");
    let mut others = vec![".constnet-0000000000000000-0000000000000000.partial", "net.partial", "net.7.0.partial"];
    for name in &others {
        fs::write(folder.join(name), "theirs").expect("a file");
    }
    net(1.0).save_file(&path).expect("a new file");
    others.push("net");
    others.sort_unstable();
    assert_eq!(names(&folder), others);
}
