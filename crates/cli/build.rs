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
        let built = built.canonicalize()?;
        collect(&built, &mut files)?;
        files.sort();
        // Cargo looks at the time of a folder, which a file that is written anew in place does not change.
        files.iter().for_each(|path| println!("cargo:rerun-if-changed={}", path.display()));
        files = files
            .iter()
            .map(|path| Ok(path.strip_prefix(&built)?.to_owned()))
            .collect::<Result<_, Box<dyn Error>>>()?;
        write(&built, &files)
    } else {
        write(&built, &files)
    }
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
fn write(built: &Path, files: &[PathBuf]) -> Result<(), Box<dyn Error>> {
    let compressed = |path: &PathBuf| path.extension().is_some_and(|end| end == "br" || end == "gz");
    let bytes = |path: &Path| format!("include_bytes!({:?})", built.join(path));
    let mut list = String::from("[\n");
    for path in files.iter().filter(|path| !compressed(path)) {
        let name = path.to_str().ok_or("a file of the page has a name that is no text")?.replace('\\', "/");
        list += &format!("SiteFile::new({name:?}, {})", bytes(path));
        for (ending, call) in [("gz", "gzip"), ("br", "brotli")] {
            let other = PathBuf::from(format!("{name}.{ending}"));
            if files.contains(&other) {
                list += &format!(".{call}({})", bytes(&other));
            }
        }
        list += ",\n";
    }
    list += "]\n";
    Ok(fs::write(Path::new(&env::var("OUT_DIR")?).join("site.rs"), list)?)
}
