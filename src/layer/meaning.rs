/// What the numbers that come out of a layer are, as far as its type tells: a loss says what it takes, and a pair that does not
/// belong together fails the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Meaning {
    /// Any numbers, logits among them: nothing is known.
    Numbers,
    /// What the numbers that go in are: the layer moves them, or leaves them as they are.
    AsInput,
    /// Probabilities, from 0 to 1, as `Softmax` and `Sigmoid` give them.
    Probabilities,
    /// The logarithms of probabilities, as `LogSoftmax` gives them.
    LogProbabilities,
}

impl Meaning {
    /// What numbers are that stand beside others.
    pub(crate) const fn beside(self, other: Self) -> Self {
        match (self, other) {
            (Self::AsInput, Self::AsInput) => Self::AsInput,
            (Self::Probabilities, Self::Probabilities) => Self::Probabilities,
            (Self::LogProbabilities, Self::LogProbabilities) => Self::LogProbabilities,
            _ => Self::Numbers,
        }
    }

    /// What comes out of a chain of layers: what the last of them says that says anything.
    pub(crate) const fn of_chain(mut layers: &[Self]) -> Self {
        while let [rest @ .., last] = layers {
            if !matches!(last, Self::AsInput) {
                return *last;
            }
            layers = rest;
        }
        Self::AsInput
    }
}
