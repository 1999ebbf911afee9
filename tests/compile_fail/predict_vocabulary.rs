//! twin: text
//! error: a tensor of shape `Tokens<26, 8>` is wanted here, and these are 8 tokens of a vocabulary of 27
use constnet::nalgebra::SMatrix;
use constnet::shape::window::Valid;
use constnet::{Causal, Class, Dense, Embedding, LearnedPositions, Network, Relu, SelfAttention, Tokens};

type Read = Embedding<26, 12>;
type Start = Network<Tokens<26, 8>, (Read,)>;
type Text = Network<Tokens<26, 8>, (Read, LearnedPositions<12, 8>, SelfAttention<12, 3, Causal>, Dense<12, 26>, Relu)>;

fn main() {
    let zero = Class::<27>::const_new(0);
    let text = [zero; 8];
    let logits: SMatrix<f32, 26, 8> = Text::ZERO.predict(&text);
    let _ = (logits, Start::ZERO, Valid);
}
