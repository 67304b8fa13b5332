//! The client: Rust to WASM, wasm-bindgen, wasm-opt, and then the site's files.

use crate::{
    build::Mode,
    cargo::{Toolchain, WASM},
    context::Context,
    site,
    step::Step,
    tools::{Quality, Tools},
    wasm_opt,
};
use anyhow::{Context as _, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

/// A folder of its own: its compiler may be another one, and both sides can build at the same time.
pub fn target_dir(context: &Context) -> PathBuf {
    context.target().join("wasm")
}

/// The client of one page, or of all of them: a feature of `frontend`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Everything in one, for a quick build.
    All,
    /// What one page needs and nothing else.
    Page(&'static str),
}

/// The pages with a client, by the names of `frontend`'s features.
pub const PAGES: [&str; 7] = ["overview", "live", "observability", "towns", "machine", "sources", "tank"];

impl Part {
    /// What is built in this mode.
    fn of(mode: Mode) -> Vec<Self> {
        match mode {
            Mode::Debug => vec![Self::All],
            Mode::Release => PAGES.map(Self::Page).to_vec(),
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "towngauge",
            Self::Page(page) => page,
        }
    }
}

/// One compiled client.
pub struct Compiled {
    part: Part,
    wasm: PathBuf,
}

pub fn compile(context: &Context, toolchain: &Toolchain, mode: Mode) -> Result<Vec<Compiled>> {
    Part::of(mode).into_iter().map(|part| compile_part(context, toolchain, mode, part)).collect()
}

fn compile_part(context: &Context, toolchain: &Toolchain, mode: Mode, part: Part) -> Result<Compiled> {
    let (profile, folder) = match mode {
        Mode::Debug => ("dev", "debug"),
        Mode::Release => ("wasm-release", "wasm-release"),
    };
    let target_dir = target_dir(context);
    let mut subcommand = vec!["build", "--package", "frontend", "--lib", "--target", WASM, "--profile", profile];
    if let Part::Page(page) = part {
        subcommand.extend(["--no-default-features", "--features", page]);
    }
    Step::new(
        format!("build the client ({} {folder})", part.name()),
        toolchain.command(context, &subcommand, &target_dir),
    )
    .hint("Fix what the compiler says above; `cargo xtask check` is the quick way to see it again")
    .run(context)?;
    // The next part is written under the same name.
    let built = target_dir.join(WASM).join(folder).join("frontend.wasm");
    let wasm = built.with_file_name(format!("{}.wasm", part.name()));
    fs::copy(&built, &wasm).with_context(|| format!("cannot copy {}", built.display()))?;
    Ok(Compiled { part, wasm })
}

/// Brings target/site up to date with the compiled clients and style/.
pub fn pack(context: &Context, tools: &Tools, compiled: &[Compiled], mode: Mode) -> Result<()> {
    let folder = context.work().join(match mode {
        Mode::Debug => "client-debug",
        Mode::Release => "client",
    });
    // Each takes one core for most of a minute.
    let outputs: Vec<(Part, PathBuf)> = thread::scope(|scope| {
        let lanes: Vec<_> = compiled
            .iter()
            .map(|Compiled { part, wasm }| {
                let output = folder.join(part.name());
                scope.spawn(move || {
                    bind_if_changed(context, tools, wasm, &output, mode)?;
                    Ok((*part, output))
                })
            })
            .collect();
        lanes
            .into_iter()
            .map(|lane| lane.join().unwrap_or_else(|_| bail!("packing the client panicked")))
            .collect::<Result<_>>()
    })?;
    let quality = match mode {
        Mode::Debug => Quality::Fast,
        Mode::Release => Quality::Best,
    };
    site::assemble(context, &outputs, tools, quality)
}

fn bind_if_changed(context: &Context, tools: &Tools, wasm: &Path, output: &Path, mode: Mode) -> Result<()> {
    let stamp = output.with_extension("stamp");
    let wanted = inputs(context, wasm)?;
    if !fs::read_to_string(&stamp).is_ok_and(|existing| existing == wanted) {
        let _ = fs::remove_file(&stamp);
        let _ = fs::remove_dir_all(output);
        bind(context, tools, wasm, output, mode)?;
        fs::write(&stamp, wanted)?;
    }
    Ok(())
}

fn bind(context: &Context, tools: &Tools, wasm: &Path, output: &Path, mode: Mode) -> Result<()> {
    let page = output.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut command = Command::new(tools.pack(context)?);
    command.arg("bindgen");
    if mode == Mode::Debug {
        command.arg("--debug");
    }
    command.arg(wasm).arg(output);
    Step::new(format!("wasm-bindgen ({page})"), command)
        .hint("Are the versions of wasm-bindgen in Cargo.toml and of wasm-bindgen-cli-support in xtask/pack/Cargo.toml equal?")
        .run(context)?;
    if mode == Mode::Release
        && let Some(wasm_opt) = tools.wasm_opt(context)?
    {
        wasm_opt.shrink(context, &page, &output.join("towngauge_bg.wasm"))?;
    }
    Ok(())
}

/// Changes when wasm-bindgen's or wasm-opt's output may change.
fn inputs(context: &Context, wasm: &Path) -> Result<String> {
    let mut hashes = site::content_hash(&fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?);
    hashes.push_str(&wasm_opt::arguments());
    for folder in ["xtask/pack", "xtask/wasm-opt"] {
        for (name, content) in site::walk(&context.root.join(folder))? {
            hashes.push_str(&format!("\n{} {folder}/{name}", site::content_hash(&content)));
        }
    }
    Ok(hashes)
}
