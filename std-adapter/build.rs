//! Names what a system offers, so that the source can ask for that and only `src/sys` has to know
//! systems.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(brigade_processes)");
    let linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    // `--cfg brigade_portable` takes what any system has.
    let portable = env::var_os("CARGO_CFG_BRIGADE_PORTABLE").is_some();
    if linux && !portable {
        println!("cargo::rustc-cfg=brigade_processes");
    }
}
