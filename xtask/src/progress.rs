//! Says what is going on, live: one moving line on a terminal, plain lines with a heartbeat elsewhere.
//!
//! All of it goes to stderr; stdout belongs to the server that `run` starts and to the summary of `test`.

use std::{
    io::{IsTerminal, Write, stderr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const HEARTBEAT: Duration = Duration::from_secs(30);
const FRAME: Duration = Duration::from_millis(120);
const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// Draws every running task; clones draw on the same line.
#[derive(Clone)]
pub struct Progress {
    board: Arc<Mutex<Board>>,
    cancelled: Arc<AtomicBool>,
}

struct Board {
    terminal: bool,
    running: Vec<Running>,
    next_id: u64,
    frame: usize,
}

struct Running {
    id: u64,
    name: String,
    started: Instant,
    last_heartbeat: Instant,
    note: String,
}

/// One thing under way. Dropped without `done`, it counts as failed.
pub struct Task {
    progress: Progress,
    id: u64,
    name: String,
    started: Instant,
    finished: bool,
}

impl Progress {
    pub fn new() -> Self {
        let terminal = stderr().is_terminal()
            && !crate::context::is_ci()
            && std::env::var_os("TERM").is_none_or(|name| name != "dumb");
        let board = Arc::new(Mutex::new(Board { terminal, running: Vec::new(), next_id: 0, frame: 0 }));
        let weak = Arc::downgrade(&board);
        thread::spawn(move || {
            while let Some(board) = weak.upgrade() {
                lock(&board).tick();
                drop(board);
                thread::sleep(FRAME);
            }
        });
        Self { board, cancelled: Arc::default() }
    }

    pub fn start(&self, name: &str) -> Task {
        let started = Instant::now();
        let mut board = lock(&self.board);
        let id = board.next_id;
        board.next_id += 1;
        if !board.terminal {
            eprintln!("→ {name}");
        }
        board.running.push(Running {
            id,
            name: name.to_owned(),
            started,
            last_heartbeat: started,
            note: String::new(),
        });
        Task { progress: self.clone(), id, name: name.to_owned(), started, finished: false }
    }

    /// A line that stays on the screen.
    pub fn say(&self, text: &str) {
        lock(&self.board).print(text);
    }

    /// Tells the other lanes to give up: what they would make is of no use any more.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub fn is_terminal(&self) -> bool {
        lock(&self.board).terminal
    }
}

impl Task {
    /// The newest line of output, shown on a terminal beside the elapsed time.
    pub fn note(&self, line: &str) {
        let mut board = lock(&self.progress.board);
        if let Some(running) = board.running.iter_mut().find(|running| running.id == self.id) {
            running.note = plain(line);
        }
    }

    pub fn done(mut self, detail: &str) -> Duration {
        self.finish('✓', detail)
    }

    pub fn failed(mut self) -> Duration {
        self.finish('✗', "failed")
    }

    fn finish(&mut self, mark: char, detail: &str) -> Duration {
        self.finished = true;
        let elapsed = self.started.elapsed();
        let mut board = lock(&self.progress.board);
        board.running.retain(|running| running.id != self.id);
        let separator = if detail.is_empty() { "" } else { " · " };
        board.print(&format!("{mark} {} · {}{separator}{detail}", self.name, human(elapsed)));
        elapsed
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if !self.finished {
            self.finish('✗', "failed");
        }
    }
}

impl Board {
    fn tick(&mut self) {
        if self.terminal {
            self.frame += 1;
            self.draw();
            return;
        }
        for running in &mut self.running {
            if running.last_heartbeat.elapsed() >= HEARTBEAT {
                running.last_heartbeat = Instant::now();
                eprintln!("  {} · still at it after {}", running.name, human(running.started.elapsed()));
            }
        }
    }

    fn draw(&self) {
        if self.running.is_empty() {
            return;
        }
        let spinner = SPINNER[self.frame % SPINNER.len()];
        let tasks: Vec<String> = self
            .running
            .iter()
            .map(|running| {
                let note = if self.running.len() == 1 { running.note.as_str() } else { "" };
                format!("{} {} {note}", running.name, human(running.started.elapsed()))
            })
            .collect();
        let line = format!("{spinner} {}", tasks.join("· "));
        let line: String = line.chars().take(terminal_columns()).collect();
        let mut out = stderr().lock();
        // A terminal that went away is no reason to stop the build.
        let _ = write!(out, "\r\x1b[2K{line}").and_then(|()| out.flush());
    }

    fn print(&self, text: &str) {
        let clear = if self.terminal { "\r\x1b[2K" } else { "" };
        eprintln!("{clear}{text}");
        if self.terminal {
            self.draw();
        }
    }
}

fn lock(board: &Mutex<Board>) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

/// COLUMNS is rarely exported; 100 fits nearly every window, and a line that wraps cannot be redrawn.
fn terminal_columns() -> usize {
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(100) - 1
}

/// Without escape sequences, which would break the width of the status line.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\x1b' => {
                characters.by_ref().find(|end| end.is_ascii_alphabetic());
            }
            other if other.is_control() => {}
            other => text.push(other),
        }
    }
    text.trim().to_owned()
}

/// "0.4 s", "12 s", "3 min 05 s".
pub fn human(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", elapsed.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_time_reads_well_at_every_size() {
        let check = |milliseconds, expected: &str| assert_eq!(human(Duration::from_millis(milliseconds)), expected);
        check(40, "0.0 s");
        check(9_400, "9.4 s");
        check(59_999, "59 s");
        check(185_000, "3 min 05 s");
    }

    #[test]
    fn notes_lose_colours_and_control_characters() {
        assert_eq!(plain("\x1b[1m\x1b[32m   Compiling\x1b[0m leptos\t"), "Compiling leptos");
    }
}
