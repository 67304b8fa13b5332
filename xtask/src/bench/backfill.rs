//! P8: transcripts read to committed, beside `ccusage`, which reads the same files and stores nothing.

use super::{
    Bench, browser,
    measurement::{Measurement, Wanted},
    serving::{Folder, Serving},
    transcripts,
};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

const BYTES: u64 = 192 << 20;
const QUICK_BYTES: u64 = 24 << 20;

/// What a reader found in the files.
#[derive(Debug, PartialEq, Eq)]
struct Tokens {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
}

pub fn run(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    let ccusage = ccusage(&browser::provide_peers(bench)?)?;
    let task = bench.context.progress.start("measure the backfill of transcripts");
    let folder = Folder::new("backfill")?;
    let bytes = transcripts::write(folder.path(), if bench.quick { QUICK_BYTES } else { BYTES })?;
    // A server is running, as it is for people: so neither its start nor the making of a cluster is counted, nor the coarser
    // tiers, which it makes from what is committed within a second. It does so on the same cores while the next round runs.
    let _serving = Serving::start(&bench.binary, &folder)?;
    let rate = |begun: Instant| -> Result<f64> { Ok(f64::from(u32::try_from(bytes)?) / begun.elapsed().as_secs_f64()) };
    let (mut peer, mut ours) = (Vec::new(), Vec::new());
    for round in 0..if bench.quick { 3 } else { 5 } {
        let begun = Instant::now();
        let theirs = read_by_ccusage(&ccusage, folder.path())?;
        peer.push(rate(begun)?);
        let town = format!("round-{round}");
        let begun = Instant::now();
        backfill(bench, &folder, &town)?;
        ours.push(rate(begun)?);
        let stored = report(bench, &folder, &town)?;
        ensure!(theirs == stored, "ccusage found {theirs:?}, Towngauge {stored:?}");
    }
    task.done("");
    Ok(vec![Measurement {
        target: "P8".to_owned(),
        what: "transcripts read to committed; ccusage only reads them".to_owned(),
        unit: "B/s".to_owned(),
        limit: peer.clone(),
        peer,
        ours,
        wanted: Wanted::AtLeast(3.0),
    }])
}

/// The native program, not the script that starts it.
fn ccusage(peers: &Path) -> Result<PathBuf> {
    let folder = peers.join("node_modules/@ccusage");
    let entries = fs::read_dir(&folder).with_context(|| {
        format!("{} is missing: npm has no ccusage for this machine, so P8 has no peer", folder.display())
    })?;
    for entry in entries {
        let program = entry?.path().join("bin/ccusage");
        if program.is_file() {
            // The package carries it without the right to run it; its own script does the same.
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
            return Ok(program);
        }
    }
    bail!("no program in {}", folder.display())
}

fn read_by_ccusage(program: &Path, folder: &Path) -> Result<Tokens> {
    let mut command = Command::new(program);
    command.args(["claude", "daily", "--json", "--offline"]).env("CLAUDE_CONFIG_DIR", folder);
    let answer = output(&mut command)?;
    let totals = &serde_json::from_str::<Value>(&answer).context("ccusage printed no JSON")?["totals"];
    tokens(totals, ["inputTokens", "outputTokens", "cacheReadTokens"], &["cacheCreationTokens"])
}

fn backfill(bench: &Bench<'_>, folder: &Folder, town: &str) -> Result<()> {
    let mut command = Command::new(&bench.binary);
    command.args(["backfill", "claude-code"]).arg(folder.path().join("projects"));
    output(command.args(["--town", town, "--data-dir"]).arg(folder.data())).map(drop)
}

fn report(bench: &Bench<'_>, folder: &Folder, town: &str) -> Result<Tokens> {
    let mut command = Command::new(&bench.binary);
    let answer = output(command.args(["report", "daily", "--json", "--town", town, "--data-dir"]).arg(folder.data()))?;
    let total = &serde_json::from_str::<Value>(&answer)?["total"];
    let writes = ["cache_write_5m_tokens", "cache_write_1h_tokens"];
    tokens(total, ["input_tokens", "output_tokens", "cache_read_tokens"], &writes)
}

fn tokens(sums: &Value, [input, output, cache_read]: [&str; 3], writes: &[&str]) -> Result<Tokens> {
    let sum = |name: &str| sums[name].as_u64().with_context(|| format!("no {name} in {sums}"));
    let cache_write = writes.iter().map(|name| sum(name)).sum::<Result<u64>>()?;
    Ok(Tokens { input: sum(input)?, output: sum(output)?, cache_read: sum(cache_read)?, cache_write })
}

fn output(command: &mut Command) -> Result<String> {
    let done = command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    ensure!(done.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&done.stderr));
    Ok(String::from_utf8(done.stdout)?)
}
