//! Joins a stylesheet with its `@import`s, shrinks it a little, and points `url(…)` at the hashed names.
//!
//! A file imported twice is taken once, where it is met first: sheets that both need the tokens may both say so.

use super::scan::{Piece, pieces};
use anyhow::{Context as _, Result, bail};
use std::collections::{BTreeMap, BTreeSet};

/// `sheets` and `assets` have their paths below style/ as keys; an asset's value is its address as seen from the result.
pub fn bundle(entry: &str, sheets: &BTreeMap<String, String>, assets: &BTreeMap<String, String>) -> Result<String> {
    let mut bundle = Bundle { sheets, assets, taken: BTreeSet::new(), text: String::new() };
    bundle.sheet(entry).with_context(|| format!("style/{entry}"))?;
    Ok(bundle.text)
}

struct Bundle<'a> {
    sheets: &'a BTreeMap<String, String>,
    assets: &'a BTreeMap<String, String>,
    taken: BTreeSet<String>,
    text: String,
}

impl Bundle<'_> {
    fn sheet(&mut self, name: &str) -> Result<()> {
        if !self.taken.insert(name.to_owned()) {
            return Ok(());
        }
        let Some(css) = self.sheets.get(name) else { bail!("style/{name} does not exist") };
        let pieces = pieces(css);
        let mut at = 0;
        while at < pieces.len() {
            if matches!(pieces[at], Piece::Word(word) if word.eq_ignore_ascii_case("@import")) {
                let end = pieces[at..].iter().position(|piece| *piece == Piece::Mark(';')).map(|length| at + length);
                let Some(end) = end else { bail!("style/{name}: an @import without a semicolon") };
                self.import(name, &pieces[at + 1..end])?;
                at = end + 1;
            } else {
                self.push(name, pieces[at], pieces.get(at + 1).copied())?;
                at += 1;
            }
        }
        Ok(())
    }

    fn import(&mut self, from: &str, pieces: &[Piece<'_>]) -> Result<()> {
        let mut pieces =
            pieces.iter().filter(|piece| **piece != Piece::Comment).skip_while(|piece| **piece == Piece::Space);
        let target = match pieces.next() {
            Some(Piece::Quoted(target)) => target.trim_matches(['"', '\'']),
            Some(Piece::Url(target)) => target,
            _ => bail!("style/{from}: an @import without an address"),
        };
        if is_external(target) {
            bail!(
                "style/{from} imports {target}: only files in style/ can be imported, pages load nothing from elsewhere"
            );
        }
        let condition: String = pieces.map(|piece| piece.to_text()).collect();
        let open = match condition.trim() {
            "" => String::new(),
            layer if layer.starts_with("layer(") && layer.ends_with(')') && layer.matches('(').count() == 1 => {
                format!("@layer {}{{", &layer["layer(".len()..layer.len() - 1])
            }
            other if other.starts_with("layer") || other.contains("supports(") => {
                bail!("style/{from}: `@import … {other}` is not understood here: use layer(name) or a media query")
            }
            media => format!("@media {media}{{"),
        };
        self.text.push_str(&open);
        self.sheet(&resolve(from, target)).with_context(|| format!("imported by style/{from}"))?;
        if !open.is_empty() {
            self.close();
        }
        Ok(())
    }

    fn push(&mut self, name: &str, piece: Piece<'_>, next: Option<Piece<'_>>) -> Result<()> {
        match piece {
            Piece::Comment => {}
            Piece::Space => {
                let needless = self.text.is_empty()
                    || self.text.ends_with(['{', '}', ';', ',', ' '])
                    || matches!(next, None | Some(Piece::Mark(_)));
                if !needless {
                    self.text.push(' ');
                }
            }
            Piece::Mark('}') => self.close(),
            Piece::Mark(mark) => {
                // A comment between the two kept a space that is needless after all.
                if self.text.ends_with(' ') {
                    self.text.pop();
                }
                self.text.push(mark);
            }
            Piece::Url(target) if is_external(target) => self.text.push_str(&piece.to_text()),
            Piece::Url(target) => {
                let (path, fragment) = target.split_at(target.find(['#', '?']).unwrap_or(target.len()));
                let path = resolve(name, path);
                let Some(address) = self.assets.get(&path) else {
                    bail!("style/{name} refers to style/{path}, which does not exist")
                };
                self.text.push_str(&format!("url({address}{fragment})"));
            }
            other => self.text.push_str(&other.to_text()),
        }
        Ok(())
    }

    /// The last semicolon of a block separates nothing.
    fn close(&mut self) {
        while self.text.ends_with([' ', ';']) {
            self.text.pop();
        }
        self.text.push('}');
    }
}

impl Piece<'_> {
    fn to_text(self) -> String {
        match self {
            Piece::Comment => String::new(),
            Piece::Space => " ".to_owned(),
            Piece::Quoted(text) | Piece::Word(text) => text.to_owned(),
            Piece::Url(target) if target.contains(['"', '\'', '(', ')', ' ']) => {
                let quote = if target.contains('"') { '\'' } else { '"' };
                format!("url({quote}{target}{quote})")
            }
            Piece::Url(target) => format!("url({target})"),
            Piece::Mark(mark) => mark.to_string(),
        }
    }
}

/// Everything that does not name a file relative to the sheet.
fn is_external(target: &str) -> bool {
    target.starts_with(['/', '#']) || target.split(['/', '?', '#']).next().is_some_and(|start| start.contains(':'))
}

/// "parts/gauge.css" + "../icon.svg" -> "icon.svg".
fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn check(sheets: &[(&str, &str)], expected: &str) {
        let assets = map(&[("icon.svg", "icon.1.svg")]);
        assert_eq!(bundle("main.css", &map(sheets), &assets).unwrap(), expected);
    }

    fn check_error(sheets: &[(&str, &str)], expected: &str) {
        let error = bundle("main.css", &map(sheets), &BTreeMap::new()).unwrap_err();
        assert!(format!("{error:#}").contains(expected), "{error:#}");
    }

    #[test]
    fn imports_stand_where_they_were_written() {
        check(
            &[
                ("main.css", "@import \"tokens.css\";\n@import url('parts/gauge.css');\nmain { gap: 4px; }\n"),
                ("tokens.css", ":root { --accent: #123; }"),
                ("parts/gauge.css", "@import '../tokens.css'; .gauge { color: var(--accent); }"),
            ],
            ":root{--accent: #123}.gauge{color: var(--accent)}main{gap: 4px}",
        );
    }

    #[test]
    fn conditions_wrap_what_is_imported() {
        check(
            &[
                ("main.css", "@import \"a.css\" layer(base); @import \"b.css\" print and (color);"),
                ("a.css", "a { b: c }"),
                ("b.css", "d { e: f }"),
            ],
            "@layer base{a{b: c}}@media print and (color){d{e: f}}",
        );
    }

    #[test]
    fn shrinking_keeps_what_has_a_meaning() {
        check(
            &[("main.css", "a  :hover , b > c { margin : 0 -1px calc(1px + 2px) ; }")],
            "a :hover,b > c{margin : 0 -1px calc(1px + 2px)}",
        );
        check(&[("main.css", "a::after { content: \"  ; } /* \"; }")], "a::after{content: \"  ; } /* \"}");
        check(&[("main.css", "a /* one */ { b: c /* two */ ; /* three */ }")], "a{b: c}");
        check(&[("main.css", "a /* joins nothing */ b { }")], "a b{}");
        check(
            &[("main.css", "@layer base, parts;\n@media (width < 360px) { a { b: c } }")],
            "@layer base,parts;@media (width < 360px){a{b: c}}",
        );
    }

    #[test]
    fn addresses_follow_the_hashed_names() {
        check(
            &[("main.css", "a { b: url(icon.svg#dot) } c { d: url(\"./icon.svg\") }")],
            "a{b: url(icon.1.svg#dot)}c{d: url(icon.1.svg)}",
        );
        check(
            &[("main.css", "a { b: url(\"data:image/svg+xml,<svg a='b'/>\") }")],
            "a{b: url(\"data:image/svg+xml,<svg a='b'/>\")}",
        );
        check_error(&[("main.css", "a { b: url(none.svg) }")], "style/none.svg, which does not exist");
    }

    #[test]
    fn mistakes_say_where_they_are() {
        check_error(&[("main.css", "@import 'none.css';")], "style/none.css does not exist");
        check_error(&[("main.css", "@import 'https://example.org/a.css';")], "only files in style/");
        check_error(&[("main.css", "@import 'a.css'")], "without a semicolon");
    }

    #[test]
    fn a_circle_of_imports_ends() {
        check(
            &[("main.css", "@import 'a.css'; m { n: o }"), ("a.css", "@import 'main.css'; a { b: c }")],
            "a{b: c}m{n: o}",
        );
    }
}
