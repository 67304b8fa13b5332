//! P9, its second half: from starting the server to `/ready`, Postgres included, on a data folder that was used before.

use super::{
    Bench,
    measurement::{Measurement, Wanted},
    serving::{Folder, Serving},
};
use anyhow::Result;
use std::time::Instant;

const LIMIT_S: f64 = 2.0;

pub fn run(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    let task = bench.context.progress.start("measure the warm start");
    let folder = Folder::new("start")?;
    // The first start makes the cluster, and is not counted.
    drop(Serving::start(&bench.binary, &folder)?);
    let mut ours = Vec::new();
    for _ in 0..if bench.quick { 3 } else { 7 } {
        let begun = Instant::now();
        let serving = Serving::start(&bench.binary, &folder)?;
        ours.push(begun.elapsed().as_secs_f64());
        drop(serving);
    }
    task.done("");
    Ok(vec![Measurement {
        target: "P9".to_owned(),
        what: "warm start to /ready, with Postgres".to_owned(),
        unit: "s".to_owned(),
        limit: vec![LIMIT_S],
        peer: Vec::new(),
        ours,
        wanted: Wanted::AtMost(1.0),
    }])
}
