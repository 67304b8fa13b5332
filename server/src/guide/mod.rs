//! How to connect each agent and tool: the one place that these texts come from, with this server's real address.

mod agent;
mod anything;

use app::sources::{Guide, Step};
use model::id::TownName;

/// What the texts depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where this server can be reached, such as `http://127.0.0.1:4680`.
    pub address: String,
    /// The town that events are to go to.
    pub town: TownName,
    /// The town that events without a town go to.
    pub home: TownName,
    /// Whether local files are followed.
    pub watching: bool,
    /// Whether senders need a key.
    pub keys_required: bool,
}

/// Every guide, in the order of the page.
#[must_use]
pub fn all(place: &Place) -> Vec<Guide> {
    vec![
        agent::claude_code(place),
        agent::codex(place),
        agent::gemini(place),
        agent::opencode(place),
        agent::kilo(place),
        agent::gas_town(place),
        agent::beads(place),
        agent::git(place),
        anything::otel(place),
        anything::http(place),
        anything::machine(place),
    ]
}

/// The command that has another machine read, and its agents followed.
#[must_use]
pub fn machine(place: &Place) -> Step {
    anything::watch_elsewhere(place)
}

/// The command that makes a key for senders, where they need one.
#[must_use]
pub fn key(place: &Place) -> Option<Step> {
    place.keys_required.then(|| {
        step(
            "Make a key, once, where the server runs; it prints the key to put in here",
            "towngauge key create --scope ingest agents\nexport TOWNGAUGE_KEY=tg_…",
        )
    })
}

fn step(label: &str, text: impl Into<String>) -> Step {
    Step { label: label.to_owned(), text: text.into() }
}

fn guide(id: &str, title: &str, about: impl Into<String>, sources: &[&str], steps: Vec<Step>) -> Guide {
    let sources = sources.iter().map(|source| (*source).to_owned()).collect();
    Guide { id: id.to_owned(), title: title.to_owned(), about: about.into(), steps, sources }
}

impl Place {
    /// An address that is given in full, with the town where that is not the default one.
    fn url(&self, path: &str) -> String {
        let town = if self.town == self.home { String::new() } else { format!("?town={}", self.town) };
        format!("{}{path}{town}", self.address)
    }

    /// The line that sets OpenTelemetry's headers, where any are needed.
    fn otel_headers(&self) -> Option<String> {
        let town = (self.town != self.home).then(|| format!("X-Towngauge-Town={}", self.town));
        let key = self.keys_required.then(|| "Authorization=Bearer $TOWNGAUGE_KEY".to_owned());
        let headers: Vec<String> = [town, key].into_iter().flatten().collect();
        (!headers.is_empty()).then(|| format!("\nexport OTEL_EXPORTER_OTLP_HEADERS=\"{}\"", headers.join(",")))
    }

    /// What `curl` needs besides the address.
    fn curl_key(&self) -> &'static str {
        if self.keys_required { " -H \"Authorization: Bearer $TOWNGAUGE_KEY\"" } else { "" }
    }

    /// What an agent's files need.
    fn files(&self, folder: &str) -> String {
        if self.watching {
            let town = &self.home;
            format!(
                "Nothing to do on the server's machine: what is in {folder} is followed, into the town \u{201c}{town}\u{201d}."
            )
        } else {
            format!("This server does not follow local files; towngauge watch, started beside it, reads {folder}.")
        }
    }

    fn past(&self, word: &str) -> Step {
        step(
            "Read what was there before; again changes nothing",
            format!("towngauge backfill {word} --town {}", self.town),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::registry;
    use crate::standing::known;

    fn place(keys_required: bool) -> Place {
        let name = |raw| TownName::new(raw).unwrap();
        let address = "http://127.0.0.1:4680".to_owned();
        Place { address, town: name("other"), home: name("home"), watching: true, keys_required }
    }

    #[test]
    fn every_step_has_at_most_five_lines_and_what_it_sends_goes_to_the_pages_town() {
        for guide in all(&place(true)).iter().chain(&all(&place(false))) {
            assert!(!guide.steps.is_empty(), "{}", guide.id);
            for step in &guide.steps {
                assert!(step.text.lines().count() <= 5, "{}: {}", guide.id, step.text);
                let sends = step.text.contains("http://127.0.0.1:4680");
                assert!(!sends || step.text.contains("other"), "{}: {}", guide.id, step.text);
            }
        }
    }

    #[test]
    fn a_key_is_asked_for_where_one_is_needed_and_nowhere_else() {
        for keys_required in [false, true] {
            for guide in all(&place(keys_required)) {
                let holds = |text: &str| guide.steps.iter().any(|step| step.text.contains(text));
                let has_key = holds("TOWNGAUGE_KEY") || holds("tg_…");
                // Whoever ships to another machine brings a key in any case.
                let wanted = guide.id == "machine" || (keys_required && holds("http://127.0.0.1:4680"));
                assert_eq!(has_key, wanted, "{}", guide.id);
            }
            assert_eq!(key(&place(keys_required)).is_some(), keys_required);
        }
    }

    #[test]
    fn every_known_source_is_connected_by_the_guide_that_it_names() {
        let guides = all(&place(false));
        for source in &known::ALL {
            let of = guides.iter().find(|guide| guide.sources.iter().any(|name| name == source.name));
            assert_eq!(of.map(|guide| guide.id.as_str()), source.guide, "{}", source.name);
        }
    }

    #[test]
    fn what_is_read_by_the_command_line_has_that_name_there() {
        let guides = all(&place(false));
        let texts = guides.iter().flat_map(|guide| &guide.steps).map(|step| step.text.as_str());
        let mut words: Vec<&str> = Vec::new();
        for text in texts {
            words.extend(text.lines().filter_map(|line| line.strip_prefix("towngauge backfill ")?.split(' ').next()));
        }
        assert!(words.iter().all(|word| registry::by_word(word).is_some()), "{words:?}");
        let missing: Vec<_> =
            registry::ALL.iter().map(|source| source.word()).filter(|word| !words.contains(word)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
