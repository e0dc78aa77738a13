//! Compiles the proto files with a protobuf compiler written in Rust, so that building needs no `protoc`.

use std::path::PathBuf;
use std::{env, fs};

use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::Compiler::new(["proto"])?
        // Comments become the documentation of the generated types.
        .include_source_info(true)
        .include_imports(true)
        .open_files(["maglev/v1/maglev.proto"])?
        .file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("maglev_descriptor.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .client_mod_attribute("maglev.v1", r#"#[cfg(feature = "client")]"#)
        .server_mod_attribute("maglev.v1", r#"#[cfg(feature = "server")]"#)
        .compile_fds(descriptors)?;
    Ok(())
}
