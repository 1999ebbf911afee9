//! From layers to Rust source and to a safetensors file.

use super::Converted;
use super::axes::Shape;
use super::layers::{Layer, Tensor};
use safetensors::tensor::{Dtype, TensorView, serialize};
use std::collections::{BTreeSet, HashMap};

/// How many layers a tuple of constnet's holds.
const TUPLE: usize = 16;
/// rustfmt's width of a line, and of what stands in a tuple's parentheses.
const WIDTH: usize = 100;
const TUPLE_WIDTH: usize = 60;
/// Rust's, which no module is called.
const KEYWORDS: &[&str] = &[
    "Self", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super",
    "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// A type as it is written: a word, or a list in brackets.
enum Text {
    Word(String),
    List { open: &'static str, items: Vec<Text>, close: &'static str },
}

pub(crate) fn emit(input: Shape, layers: &[Layer], stem: &str) -> Result<Converted, String> {
    if layers.is_empty() {
        return Err("the graph does nothing: its output is its input".into());
    }
    let mut emitter = Emitter::default();
    let layers = emitter.tuple(layers, "");
    let network = Text::List { open: "Network<", items: vec![emitter.word(input.to_string()), layers], close: ">" };
    emitter.names.insert("Network".into());

    let module = identifier(stem);
    let file = format!("{module}.safetensors");
    let source = format!(
        "//! Made by constnet's example `onnx_to_constnet`, of the model `{stem}.onnx`.\n\n\
        {imports}\n\n\
        /// The model: its layers and their shapes.\n\
        pub type Net = {network};\n\n\
        /// The file with the model's weights, which the compiler checks against [`Net`].\n\
        #[derive(Debug)]\n\
        pub struct Weights;\n\n\
        impl constnet::safetensors::File for Weights {{\n    \
            const BYTES: &'static [u8] = include_bytes!({file:?});\n\
        }}\n\n\
        /// The model with its weights, a constant: call `NET.predict(&x)`.\n\
        pub static NET: Net = Net::from_file::<Weights>();\n",
        stem = stem.escape_debug(),
        imports = imports(&emitter.names),
        network = network.lines(0, "pub type Net = ".len() + ";".len()),
    );
    let network = network.line();
    Ok(Converted { weights: emitter.file(&network)?, network, module, source })
}

/// The name of a module: of `my-net`, `my_net`.
fn identifier(stem: &str) -> String {
    let mut name: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.trim_matches('_').is_empty() {
        name.insert_str(0, "model_");
    }
    if KEYWORDS.contains(&name.as_str()) {
        name.push('_');
    }
    name
}

/// Collects what the layers need besides their own text.
#[derive(Default)]
struct Emitter {
    /// What the source imports.
    names: BTreeSet<String>,
    /// Key, shape and bytes.
    tensors: Vec<(String, Vec<usize>, Vec<u8>)>,
}

impl Emitter {
    /// A tuple of layers; more than fit into one become a tuple of tuples. `path` stands before the keys of their tensors.
    fn tuple(&mut self, layers: &[Layer], path: &str) -> Text {
        let mut each = 1;
        while layers.len().div_ceil(each) > TUPLE {
            each *= TUPLE;
        }
        let parts = layers.chunks(each).enumerate().map(|(index, part)| {
            let path = format!("{path}{index}.");
            match part {
                [layer] if each == 1 => self.layer(layer, &path),
                _ => self.tuple(part, &path),
            }
        });
        Text::List { open: "(", items: parts.collect(), close: ")" }
    }

    fn layer(&mut self, layer: &Layer, path: &str) -> Text {
        match layer {
            Layer::Single { text, tensors } => {
                self.tensors.extend(tensors.iter().map(|Tensor { name, dims, numbers }| {
                    let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
                    (format!("{path}{name}"), dims.clone(), bytes)
                }));
                self.word(text.clone())
            }
            // What is inside keeps the path.
            Layer::Residual(inside) => {
                self.names.insert("Residual".into());
                Text::List { open: "Residual<", items: vec![self.tuple(inside, path)], close: ">" }
            }
            Layer::Parallel(branches, join) => {
                self.names.insert("Parallel".into());
                let [first, second] = [0, 1].map(|branch| {
                    let path = format!("{path}{branch}.");
                    match &branches[branch][..] {
                        [layer] => self.layer(layer, &path),
                        layers => self.tuple(layers, &path),
                    }
                });
                Text::List { open: "Parallel<", items: vec![first, second, self.word((*join).into())], close: ">" }
            }
        }
    }

    /// A type of constnet's, whose names are imported.
    fn word(&mut self, text: String) -> Text {
        let names = text.split(|c: char| !c.is_alphanumeric());
        self.names.extend(names.filter(|name| name.starts_with(char::is_uppercase)).map(String::from));
        Text::Word(text)
    }

    /// The safetensors file, which tells the network's type in its metadata.
    fn file(&self, network: &str) -> Result<Vec<u8>, String> {
        let metadata = HashMap::from([("network".into(), network.into())]);
        let views = self.tensors.iter().map(|(key, shape, bytes)| {
            TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (key, view)).map_err(|error| error.to_string())
        });
        serialize(views.collect::<Result<Vec<_>, _>>()?, Some(metadata)).map_err(|error| error.to_string())
    }
}

impl Text {
    /// All on one line.
    fn line(&self) -> String {
        match self {
            Self::Word(word) => word.clone(),
            Self::List { open, items, close } => {
                let comma = if *open == "(" && items.len() == 1 { "," } else { "" };
                let items: Vec<_> = items.iter().map(Self::line).collect();
                format!("{open}{}{comma}{close}", items.join(", "))
            }
        }
    }

    /// As rustfmt writes it, where `taken` columns of the line are used by other things.
    fn lines(&self, indent: usize, taken: usize) -> String {
        let line = self.line();
        match self {
            Self::List { open, items, close }
                if indent + taken + line.len() > WIDTH || (*open == "(" && line.len() > TUPLE_WIDTH + 2) =>
            {
                let deeper = indent + 4;
                let lines = items.iter().map(|item| format!("{:deeper$}{},\n", "", item.lines(deeper, 1)));
                format!("{open}\n{}{:indent$}{close}", lines.collect::<String>(), "")
            }
            _ => line,
        }
    }
}

/// `use constnet::{Dense, Network, Relu, Vector};`, as rustfmt breaks it.
fn imports(names: &BTreeSet<String>) -> String {
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let line = format!("use constnet::{{{}}};", names.join(", "));
    if line.len() <= WIDTH {
        return line;
    }
    let (mut lines, mut length) = (String::new(), WIDTH);
    for name in names {
        if length + 1 + name.len() + 1 > WIDTH {
            lines.push_str("\n   ");
            length = 3;
        }
        lines.push(' ');
        lines.push_str(name);
        lines.push(',');
        length += name.len() + 2;
    }
    format!("use constnet::{{{lines}\n}};")
}
