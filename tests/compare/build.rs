//! Tells the program which target it was built for: the name of its records.

fn main() {
    let target = std::env::var("TARGET").expect("cargo sets TARGET for build scripts");
    println!("cargo::rustc-env=COMPARE_TARGET={target}");
    println!("cargo::rerun-if-changed=build.rs");
}
