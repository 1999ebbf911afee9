//! What must not compile does not, and says why in a plain sentence of ours.
//!
//! Each `tests/compile_fail/*.rs` names its `twin`, the file in `pass/` that compiles and from which it differs in one place,
//! and the sentence that its first `error` begins with. `cargo check` must find it, which generates no code: by a bound, and in
//! `constants/` and `weights/` by what a constant asserts. A constant is evaluated by `cargo check` where an item of the program is
//! made of it; each file of `constants/` has such a line, and without it `cargo build` must find the same. Those in `build/` are
//! found by `cargo build` alone. Only the sentences are compared, without the paths in front of names, and `[..]` stands for what a
//! compiler may shorten: the rest of the output is each compiler's own. Whole outputs are compared on one pinned compiler, in
//! [`snapshots`].
//!
//! Would catch: a model that does not fit and compiles; an error that blames the library's inside; a case that fails for
//! another reason than the one it is named after, since its twin would fail too.

use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// A file that must not compile.
struct Case {
    path: PathBuf,
    twin: String,
    sentence: String,
    code: String,
}

impl Case {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).expect("a readable case");
        let (twin, sentence) = (head(&path, &text, "twin: "), head(&path, &text, "error: "));
        Self { twin, sentence, code: code(&text), path }
    }
}

/// What a line at the head of a source says.
fn head(path: &Path, text: &str, key: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix("//! ")?.strip_prefix(key));
    line.unwrap_or_else(|| panic!("{}: no line `//! {key}..`", path.display())).to_owned()
}

/// A source without the comments at its head.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("//!")).collect::<Vec<_>>().join("\n")
}

/// The files of a folder of `tests/compile_fail`, by name.
fn files(folder: &str) -> BTreeMap<String, PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail").join(folder);
    let paths = fs::read_dir(folder).expect("a folder of cases").map(|entry| entry.expect("an entry").path());
    let sources = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    sources.map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), path)).collect()
}

/// An error as the compiler gives it.
struct Error {
    sentence: String,
    /// All that a user reads.
    text: String,
}

/// Compiles files as the programs of one project that depends on the crate. Returns the errors of each that fails.
///
/// `CONSTNET_CARGO` and `CONSTNET_RUSTC` name another compiler than that of this test, which then need not compile the test itself.
fn compile(project: &str, command: &str, sources: &BTreeMap<String, PathBuf>) -> BTreeMap<String, Vec<Error>> {
    compile_with(true, project, command, sources)
}

/// The same, with the crate's default features or without.
fn compile_with(
    default_features: bool,
    project: &str,
    command: &str,
    sources: &BTreeMap<String, PathBuf>,
) -> BTreeMap<String, Vec<Error>> {
    let root = env!("CARGO_MANIFEST_DIR");
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = temporary.join("compile_fail").join(project);
    fs::create_dir_all(&folder).expect("a folder to write to");
    let mut manifest = format!(
        "[package]\nname = {project:?}\nedition = \"2024\"\nautobins = false\n\n[workspace]\n\n\
         [dependencies]\nconstnet = {{ path = {root:?}, default-features = {default_features} }}\n"
    );
    for (name, path) in sources {
        write!(manifest, "\n[[bin]]\nname = {name:?}\npath = {:?}\n", path.to_str().expect("UTF-8"))
            .expect("a string takes all");
    }
    fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest");
    // The versions that the crate itself was built with: they are on this machine.
    let lock = Path::new(root).join("Cargo.lock");
    if lock.exists() {
        fs::copy(lock, folder.join("Cargo.lock")).expect("a lock file");
    }
    let mut cargo = Command::new(env::var_os("CONSTNET_CARGO").unwrap_or_else(|| env!("CARGO").into()));
    if let Some(compiler) = env::var_os("CONSTNET_RUSTC") {
        cargo.env("RUSTC", compiler);
    }
    // Where the test was built: nalgebra need not be compiled twice.
    let output = cargo
        .args([command, "--bins", "--keep-going", "--offline", "--message-format=json", "--target-dir"])
        .arg(temporary.parent().expect("a target directory"))
        .current_dir(&folder)
        .output()
        .expect("cargo runs");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    let messages = stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("cargo writes JSON"));
    let mut errors = BTreeMap::<String, Vec<Error>>::new();
    let mut seen = Vec::new();
    for message in messages {
        let name = message["target"]["name"].as_str().unwrap_or_default().to_owned();
        if message["reason"] == "compiler-message" && message["message"]["level"] == "error" {
            let text = |key: &str| message["message"][key].as_str().expect("a message").to_owned();
            errors.entry(name).or_default().push(Error { sentence: text("message"), text: text("rendered") });
        } else if message["reason"] == "compiler-artifact" {
            seen.push(name);
        }
    }
    for name in sources.keys() {
        let is_one = errors.contains_key(name) != seen.contains(name);
        assert!(is_one, "cargo said nothing of {name}:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    errors
}

/// A sentence without the paths in front of names, which a compiler writes where it finds a name not to be unique.
fn without_paths(sentence: &str) -> String {
    let mut plain = String::new();
    for (i, part) in sentence.split("::").enumerate() {
        if i > 0 {
            let path = plain.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len();
            plain.truncate(path);
        }
        plain.push_str(part);
    }
    plain
}

/// Whether an error begins with a sentence of ours.
fn says(error: &str, sentence: &str) -> bool {
    let (error, sentence) = (without_paths(error), without_paths(sentence));
    let error = error.strip_prefix("evaluation panicked: ").unwrap_or(&error);
    let mut parts = sentence.split("[..]");
    let mut rest = parts.next().and_then(|first| error.strip_prefix(first));
    for part in parts {
        rest = rest.and_then(|rest| rest.split_once(part)).map(|(_, rest)| rest);
    }
    rest.is_some()
}

/// Names and numbers in a row, and each other character by itself.
fn tokens(code: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut all = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = if is_word(first) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        all.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    all
}

/// How many tokens of each are left between what two sources begin and end with alike.
fn difference(a: &str, b: &str) -> (usize, usize) {
    let (a, b) = (tokens(a), tokens(b));
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    (a.len() - end, b.len() - end)
}

/// Compiles the cases of a folder with all the twins, and reports everything that is wrong at once.
fn check(project: &str, command: &str, folder: &str) {
    let cases: BTreeMap<_, _> = files(folder).into_iter().map(|(name, path)| (name, Case::read(path))).collect();
    let twins: BTreeMap<_, _> = files("pass").into_iter().map(|(name, path)| (format!("pass-{name}"), path)).collect();
    let mut sources: BTreeMap<_, _> = cases.iter().map(|(name, case)| (name.clone(), case.path.clone())).collect();
    sources.extend(twins.clone());
    let errors = compile(project, command, &sources);

    let mut wrong = String::new();
    let mut report = |name: &str, what: String| writeln!(wrong, "{name}: {what}").expect("a string takes all");
    for name in twins.keys() {
        if let Some(error) = errors.get(name) {
            report(name, format!("does not compile: {}", error[0].sentence));
        }
    }
    for (name, case) in &cases {
        match errors.get(name) {
            None => report(name, "compiles".to_owned()),
            Some(error) if !says(&error[0].sentence, &case.sentence) => {
                report(name, format!("\n  expected {}\n  found    {}", case.sentence, error[0].sentence));
            }
            Some(_) => {}
        }
        let Some(twin) = twins.get(&format!("pass-{}", case.twin)) else {
            report(name, format!("has no twin pass/{}.rs", case.twin));
            continue;
        };
        let twin = code(&fs::read_to_string(twin).expect("a readable twin"));
        let (ours, theirs) = difference(&case.code, &twin);
        if ours.max(theirs) > 3 || ours + theirs == 0 {
            report(name, format!("differs from its twin by {ours} and {theirs} tokens, not in one place"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn cargo_check_finds_them() {
    check("checked", "check", "");
}

#[test]
fn cargo_check_finds_them_in_constants() {
    check("constants", "check", "constants");
}

/// What a feature adds, in a project without any: the error names the feature. One file tells what needs none.
#[test]
fn cargo_check_names_missing_features() {
    let cases = files("features");
    let mut sources = cases.clone();
    sources.extend(files("features/pass"));
    let errors = compile_with(false, "features", "check", &sources);
    for name in sources.keys() {
        let error = errors.get(name).map(|errors| &errors[0].sentence);
        match cases.get(name) {
            None => assert_eq!(error, None, "{name} needs a feature"),
            Some(path) => {
                let sentence = head(path, &fs::read_to_string(path).expect("a readable case"), "error: ");
                assert!(error.is_some_and(|error| says(error, &sentence)), "{name}: {error:?}");
            }
        }
    }
}

/// What only a function brings together: a network, a loss and its targets. No item of a program names the three, so that code must
/// be generated for them.
#[test]
fn cargo_build_finds_pairs() {
    check("pairs", "build", "build");
}

/// The same programs with no constant in them: code that is generated for a wrong model does not build either.
#[test]
fn cargo_build_finds_them_without_constants() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_fail/without_constants");
    fs::create_dir_all(&folder).expect("a folder to write to");
    let mut cases = files("constants");
    for (name, path) in &mut cases {
        let text = fs::read_to_string(&*path).expect("a readable case");
        let is_kept = |line: &&str| !line.starts_with("const _: ");
        let without = text.lines().filter(is_kept).collect::<Vec<_>>().join("\n");
        assert_ne!(without, text.trim_end(), "{name}: no line `const _: ..`");
        *path = folder.join(name).with_extension("rs");
        fs::write(path, without).expect("a copy");
    }
    let errors = compile("built", "build", &cases);
    for (name, path) in cases {
        let case = Case::read(path);
        let error = errors.get(&name).unwrap_or_else(|| panic!("{name} builds"));
        assert!(says(&error[0].sentence, &case.sentence), "{name}: {}", error[0].sentence);
    }
}

/// Weight files that do not fit, without generating any code.
#[test]
fn cargo_check_finds_wrong_files() {
    check("weights", "check", "weights");
}

/// The control: the comparison takes paths away and nothing else, and sees one number.
#[test]
fn sentences_and_differences() {
    let sentence = "layer `constnet::Dense<31, 10>` does not take `constnet::shape::Vector<32>`";
    assert_eq!(without_paths(sentence), "layer `Dense<31, 10>` does not take `Vector<32>`");
    assert!(says(sentence, "layer `Dense<31, 10>` does not take `Vector<32>`"));
    assert!(says(sentence, "layer `[..]` does not take"));
    assert!(!says(sentence, "layer `Dense<31, 10>` does not take `Vector<31>`"));
    assert!(!says(sentence, "layer `[..]` takes"));
    assert_eq!(difference("Dense<3, 2>", "Dense<3, 2>"), (0, 0));
    assert_eq!(difference("Dense<3, 2>", "Dense<4, 2>"), (1, 1));
    assert_eq!(difference("Dense<3, 2>", "Dense<4, 3>"), (3, 3));
    assert_eq!(difference("vec![1]", "[1]"), (2, 0));
}

/// An error without what changes when a line is put into the library: numbers of lines that are not the case's, the width of the
/// column that they stand in, and how many implementations there are.
fn settled(text: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let wider = text.lines().find_map(|line| line.find("-->")).unwrap_or(2).saturating_sub(2);
    let mut is_case = true;
    let mut settled = String::new();
    // Where a name is long, the compiler tells in which file it has written the whole of it.
    let is_lasting =
        |line: &&str| !line.contains("the full name for the type has") && !line.contains("`--verbose` to print");
    for line in text.trim_end().lines().filter(is_lasting) {
        let mut line = line.replace(root, "");
        if let Some((arrow, place)) = ["--> ", "::: "].iter().find_map(|arrow| Some((arrow, line.split_once(arrow)?.1)))
        {
            is_case = place.starts_with("tests/");
            let place = if is_case { place } else { place.split(':').next().unwrap_or(place) };
            // The compiler's own sources are where it was built, or where they are installed.
            let place =
                place.split_once("/library/").map_or_else(|| place.to_owned(), |(_, place)| format!("$RUST/{place}"));
            line = format!("  {arrow}{place}");
        } else if let Some((number, rest)) = line.split_once('|')
            && number.chars().all(|c| c == ' ' || c.is_ascii_digit())
        {
            line = format!("{:2} |{rest}", if is_case { number.trim() } else { "" });
        } else if let Some(rest) = line.strip_prefix(&" ".repeat(wider)) {
            let indent = &rest[..rest.len() - rest.trim_start().len()];
            let is_count = rest.trim_start().starts_with("and ") && rest.ends_with(" others");
            line = if is_count { format!("{indent}and $N others") } else { rest.to_owned() };
        }
        writeln!(settled, "{}", line.trim_end()).expect("a string takes all");
    }
    settled
}

/// The whole output for a few of the cases, as a user reads it. Only on the compiler that they were written on: set
/// `CONSTNET_SNAPSHOTS=1` there, and `CONSTNET_SNAPSHOTS=write` to write them anew.
#[test]
fn snapshots() {
    let Some(wish) = env::var_os("CONSTNET_SNAPSHOTS") else { return };
    let of = |project: &str, command: &str, folder: &str| {
        let mut sources = files(folder);
        sources.retain(|_, path| path.with_extension("stderr").exists());
        assert!(!sources.is_empty(), "{folder}: no snapshots");
        compare(&wish, &compile_with(folder != "features", project, command, &sources), sources);
    };
    of("snapshots", "check", "");
    of("snapshots-constants", "check", "constants");
    of("snapshots-build", "build", "build");
    of("snapshots-features", "check", "features");
}

/// Compares errors with the snapshots beside their sources, or writes these anew.
fn compare(wish: &OsStr, errors: &BTreeMap<String, Vec<Error>>, sources: BTreeMap<String, PathBuf>) {
    for (name, path) in sources {
        let errors = errors.get(&name).unwrap_or_else(|| panic!("{name} compiles"));
        let all = errors.iter().filter(|error| !error.sentence.starts_with("aborting due to "));
        let text = all.map(|error| settled(&error.text)).collect::<Vec<_>>().join("\n");
        let path = path.with_extension("stderr");
        if wish == "write" {
            fs::write(path, text).expect("a snapshot");
        } else {
            let expected = fs::read_to_string(path).expect("a snapshot");
            assert!(text == expected, "{name}:\n-- expected\n{expected}\n-- found\n{text}");
        }
    }
}
