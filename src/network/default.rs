use super::Network;
use crate::layer::Layer;
use crate::scalar::Element;
use crate::shape::Shape;

/// A network has no default: [`Network::ZERO`] says that its parameters are 0, and `init` draws them in place.
///
/// In other libraries a new network has random parameters. A default of zeros would be trained as it is, and learn nothing.
impl<In: Shape, L: Layer<In, T> + HasDefault, T: Element> Default for Network<In, L, T> {
    fn default() -> Self {
        L::never()
    }
}

impl<In: Shape, L: Layer<In, T>, T: Element> Network<In, L, T> {
    /// Not there: the trait's [`default`](Default::default) says why.
    #[doc(hidden)]
    #[allow(clippy::should_implement_trait)] // It is implemented; found first, this one's error says what to write.
    #[must_use]
    pub fn default() -> Self
    where
        L: HasDefault,
    {
        L::never()
    }
}

/// Layers whose network has a default: there are none.
#[diagnostic::on_unimplemented(
    message = "a `Network` has no `default`: begin with `ZERO`, and call `init` before you train it",
    label = "write `ZERO`",
    note = "`let mut net = Net::ZERO; net.init(&mut rng);`"
)]
pub trait HasDefault {
    /// There are no such layers.
    fn never() -> !;
}
