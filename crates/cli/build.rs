//! Puts the live map into the binary, if it has been built (`make web`). Without it the server runs all the same.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let built = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../web/dist");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", built.display());
    let mut files = Vec::new();
    if built.join("index.html").exists() {
        collect(&built.canonicalize()?, &mut files)?;
        files.sort();
    }
    // The time of a folder, which cargo looks at, does not change when a file is written anew in place.
    files.iter().for_each(|path| println!("cargo:rerun-if-changed={}", path.display()));
    write(&files)
}

/// Every file of a folder but the hidden ones.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.is_dir() {
            collect(&path, files)?;
        } else if !is_hidden {
            files.push(path);
        }
    }
    Ok(())
}

/// One call for each file, with its compressed forms.
fn write(files: &[PathBuf]) -> Result<(), Box<dyn Error>> {
    let is_compressed = |path: &Path| path.extension().is_some_and(|end| end == "br" || end == "gz");
    let root = files.iter().find(|path| path.ends_with("index.html")).and_then(|path| path.parent());
    let mut list = String::from("[\n");
    for path in files.iter().filter(|path| !is_compressed(path)) {
        let name = path.strip_prefix(root.unwrap_or(path))?.to_str().ok_or("a file's name is no text")?;
        list += &format!("SiteFile::new({:?}, include_bytes!({path:?}))", name.replace('\\', "/"));
        for (ending, call) in [("gz", "gzip"), ("br", "brotli")] {
            let mut other = path.clone().into_os_string();
            other.push(format!(".{ending}"));
            if files.iter().any(|file| *file == other) {
                list += &format!(".{call}(include_bytes!({other:?}))");
            }
        }
        list += ",\n";
    }
    list += "]\n";
    Ok(fs::write(Path::new(&env::var("OUT_DIR")?).join("site.rs"), list)?)
}
