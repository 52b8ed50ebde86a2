//! What a contender is, and the one macro that makes a library into one.
//!
//! A *shape* is a trait: what the contenders of a scenario can do. A *kernel*
//! is a scenario's loop, written once, generic over the shape. The macro
//! [`contenders!`](crate::contenders) pairs every contender with a kernel, so
//! that each loop is compiled once for each contender and nothing in it is
//! dispatched at run time.

use crate::measure::Sample;

/// Which side a contender is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// brigade's own.
    Ours,
    /// Someone else's.
    Rival,
    /// Not a library: what the operating system charges for the bare minimum.
    Floor,
}

/// One contender in one scenario, ready to run.
pub struct Contender<Output = Sample> {
    /// Which side it is on.
    pub role: Role,
    /// The name in tables; ours begin with `brigade`.
    pub name: &'static str,
    /// Contenders that promise the same are of one class and are measured
    /// against the best rival of that class.
    pub class: &'static str,
    run: Box<dyn Fn() -> Output>,
}

impl<Output> Contender<Output> {
    /// A contender whose one run is `run`.
    pub fn new(
        role: Role,
        name: &'static str,
        class: &'static str,
        run: impl Fn() -> Output + 'static,
    ) -> Self {
        let run = Box::new(run);
        Self {
            role,
            name,
            class,
            run,
        }
    }

    /// Runs the scenario once.
    #[must_use]
    pub fn run(&self) -> Output {
        (self.run)()
    }
}

/// Declares the contenders of a shape.
///
/// After the name of the trait that is the shape, each entry gives the
/// contender's role, type name, label and class, then the items of its
/// implementation of the trait. The macro writes those types, a `Kernel` trait
/// for scenarios to implement, and a function `contenders` that pairs a kernel
/// with everyone it admits.
#[macro_export]
macro_rules! contenders {
    ($shape:ident: $(
        $role:ident $name:ident, $label:literal, $class:literal { $($body:item)* }
    )*) => {
        $(
            #[doc = concat!("`", $label, "`, of the class: ", $class, ".")]
            pub struct $name;

            impl $shape for $name {
                $($body)*
            }
        )*

        /// A scenario's loop, written once for every contender of this shape.
        pub trait Kernel: Copy + 'static {
            /// What one run tells.
            type Output;

            /// Runs the scenario once with `C`.
            fn run<C: $shape>(self) -> Self::Output;

            /// Whether the scenario suits `C`; every contender, if not said otherwise.
            #[must_use]
            fn admits<C: $shape>(self) -> bool {
                true
            }
        }

        /// Everyone that `kernel` admits, paired with it.
        pub fn contenders<K: Kernel>(
            kernel: K,
        ) -> Vec<$crate::contender::Contender<K::Output>> {
            let mut all = Vec::new();
            $(
                if kernel.admits::<$name>() {
                    all.push($crate::contender::Contender::new(
                        $crate::contender::Role::$role,
                        $label,
                        $class,
                        move || kernel.run::<$name>(),
                    ));
                }
            )*
            all
        }
    };
}
