//! Writes FILE.br and FILE.gz beside each file. The output depends on the input alone (no names, no times).

use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use std::{
    ffi::OsString,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// How long to look for a smaller file.
#[derive(Clone, Copy)]
pub enum Effort {
    Fast,
    Best,
}

/// Above this size `Effort::Fast` matters: a debug client is tens of megabytes.
const SMALL_BYTES: usize = 256 * 1024;

pub fn all(files: &[PathBuf], effort: Effort) -> Result<()> {
    for file in files {
        let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let effort = if content.len() <= SMALL_BYTES { Effort::Best } else { effort };
        write_beside(file, "br", &brotli(&content, effort)?)?;
        write_beside(file, "gz", &gzip(&content, effort)?)?;
    }
    Ok(())
}

fn brotli(content: &[u8], effort: Effort) -> Result<Vec<u8>> {
    let quality = match effort {
        Effort::Fast => 2,
        Effort::Best => 11,
    };
    let parameters =
        brotli::enc::BrotliEncoderParams { quality, lgwin: 22, size_hint: content.len(), ..Default::default() };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut packed, &parameters)?;
    Ok(packed)
}

fn gzip(content: &[u8], effort: Effort) -> Result<Vec<u8>> {
    let level = match effort {
        Effort::Fast => Compression::fast(),
        Effort::Best => Compression::best(),
    };
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

/// Through a temporary name, so that an interrupted run leaves no half file that looks finished.
fn write_beside(file: &Path, extension: &str, content: &[u8]) -> Result<()> {
    let target = with_suffix(file, extension);
    let unfinished = with_suffix(&target, "part");
    fs::write(&unfinished, content)
        .and_then(|()| fs::rename(&unfinished, &target))
        .with_context(|| format!("cannot write {}", target.display()))
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_is_compressed_comes_back_equal() {
        let content = b"a gauge is a gauge is a gauge".repeat(40);
        for effort in [Effort::Fast, Effort::Best] {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&gzip(&content, effort).unwrap()[..]).read_to_end(&mut plain).unwrap();
            assert_eq!(plain, content);

            let mut plain = Vec::new();
            brotli::BrotliDecompress(&mut &brotli(&content, effort).unwrap()[..], &mut plain).unwrap();
            assert_eq!(plain, content);
        }
    }

    #[test]
    fn compressing_twice_gives_the_same_bytes() {
        let content = b"tank".repeat(1000);
        assert_eq!(gzip(&content, Effort::Best).unwrap(), gzip(&content, Effort::Best).unwrap());
        assert_eq!(brotli(&content, Effort::Best).unwrap(), brotli(&content, Effort::Best).unwrap());
    }
}
