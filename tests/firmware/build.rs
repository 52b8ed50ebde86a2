//! The memory of the two chips, for cortex-m-rt's linker script.

use std::{env, fs, path::PathBuf};

fn main() {
    let (flash, ram) = match env::var("TARGET").unwrap().as_str() {
        "thumbv6m-none-eabi" => ("256K", "16K"), // nRF51822
        "thumbv7m-none-eabi" => ("256K", "64K"), // LM3S6965
        _ => return,                             // the library alone
    };
    let memory = format!(
        "MEMORY {{ FLASH : ORIGIN = 0, LENGTH = {flash}  RAM : ORIGIN = 0x20000000, LENGTH = {ram} }}"
    );
    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    fs::write(out.join("memory.x"), memory).unwrap();
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rerun-if-changed=build.rs");
}
