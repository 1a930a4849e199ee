//! Compiles a C file, as the crate `cc` does; cargo runs this again only if the file changes.
use std::{env, process::Command};

fn main() {
    let out = env::var("OUT_DIR").unwrap();
    let object = format!("{out}/half.o");
    let words = ["-O2", "-fPIC", "-c", "src/half.c", "-o", &object];
    assert!(Command::new("cc").args(words).status().unwrap().success());
    println!("cargo:rerun-if-changed=src/half.c");
    println!("cargo:rustc-link-arg={object}");
}
