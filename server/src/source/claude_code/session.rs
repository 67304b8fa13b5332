//! Who speaks in a transcript, from the path of its file.

use std::path::Path;

/// What a transcript's path says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileIdentity {
    /// The file's name without `.jsonl`.
    pub stem: String,
    /// The conversation: the file's name, or for a sub-agent's file the folder of its parent.
    pub session: String,
    /// The sub-agent whose file it is.
    pub sub_agent: Option<String>,
    /// The folder below `projects`.
    pub slug: Option<String>,
    /// Below `projects`, or the file's name: what tells files apart wherever they lie.
    pub order: String,
}

impl FileIdentity {
    /// Reads `…/projects/<slug>/<session>.jsonl` and `…/<session>/subagents/…/agent-<id>.jsonl`.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let file = parts.last().cloned().unwrap_or_default();
        let stem = file.strip_suffix(".jsonl").unwrap_or(&file).to_owned();
        let projects = parts.iter().rposition(|part| part == "projects");
        let below = projects.map_or(parts.len().saturating_sub(1), |at| at + 1);
        let slug = match projects {
            Some(_) if below + 1 < parts.len() => parts.get(below).cloned(),
            Some(_) => None,
            // A project's folder given by itself.
            None => parts.len().checked_sub(2).and_then(|at| parts.get(at)).filter(|p| p.starts_with('-')).cloned(),
        };
        let under = parts.iter().position(|part| part == "subagents");
        let parent = under.and_then(|at| at.checked_sub(1)).and_then(|at| parts.get(at)).cloned();
        let sub_agent = stem.strip_prefix("agent-").or(under.map(|_| stem.as_str())).map(str::to_owned);
        Self {
            session: parent.unwrap_or_else(|| stem.clone()),
            sub_agent,
            slug,
            order: parts.get(below..).unwrap_or_default().join("/"),
            stem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_names_session_sub_agent_and_slug() {
        let check = |path: &str, session: &str, sub_agent: Option<&str>, slug: Option<&str>| {
            let found = FileIdentity::of(Path::new(path));
            assert_eq!(
                (found.session.as_str(), found.sub_agent.as_deref(), found.slug.as_deref()),
                (session, sub_agent, slug)
            );
        };
        check("/h/.claude/projects/-w-app/s1.jsonl", "s1", None, Some("-w-app"));
        check("/h/.claude/projects/-w-app/s1/subagents/agent-a7.jsonl", "s1", Some("a7"), Some("-w-app"));
        check("/h/projects/-w-app/s1/subagents/workflows/wf_1/agent-b.jsonl", "s1", Some("b"), Some("-w-app"));
        check("/h/projects/-w-app/agent-c.jsonl", "agent-c", Some("c"), Some("-w-app"));
        check("s1.jsonl", "s1", None, None);
        check("-w-app/s1.jsonl", "s1", None, Some("-w-app"));
    }
}
