//! Cuts CSS into the few kinds of pieces that matter for joining and shrinking it.

/// A piece of a stylesheet; the text is as it stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    Comment,
    Space,
    /// With its quotes.
    Quoted(&'a str),
    /// What stands between `url(` and `)`, without quotes.
    Url(&'a str),
    /// One of `{ } ; ,`
    Mark(char),
    Word(&'a str),
}

pub fn pieces(css: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = css;
    while let Some(first) = rest.chars().next() {
        let (piece, length) = match first {
            '/' if rest.starts_with("/*") => (Piece::Comment, rest.find("*/").map_or(rest.len(), |end| end + 2)),
            '"' | '\'' => {
                let length = quoted_length(rest, first);
                (Piece::Quoted(&rest[..length]), length)
            }
            '{' | '}' | ';' | ',' => (Piece::Mark(first), 1),
            _ if first.is_whitespace() => {
                (Piece::Space, rest.find(|other: char| !other.is_whitespace()).unwrap_or(rest.len()))
            }
            _ if starts_with_url(rest) => {
                let end = url_end(rest);
                (Piece::Url(rest["url(".len()..end].trim().trim_matches(['"', '\''])), (end + 1).min(rest.len()))
            }
            _ => {
                let length = word_length(rest);
                (Piece::Word(&rest[..length]), length)
            }
        };
        pieces.push(piece);
        rest = &rest[length..];
    }
    pieces
}

fn starts_with_url(text: &str) -> bool {
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("url("))
}

/// The quotes included; a backslash guards the next character.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut guarded = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if guarded => guarded = false,
            '\\' => guarded = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Where the closing parenthesis stands.
fn url_end(text: &str) -> usize {
    let inside = &text["url(".len()..];
    let lead = inside.len() - inside.trim_start().len();
    let from = match inside[lead..].chars().next() {
        Some(quote @ ('"' | '\'')) => lead + quoted_length(&inside[lead..], quote),
        _ => 0,
    };
    inside[from..].find(')').map_or(text.len(), |end| "url(".len() + from + end)
}

/// Up to the next piece of another kind. At least one character.
fn word_length(text: &str) -> usize {
    text.char_indices()
        .skip(1)
        .find(|(at, character)| {
            let begins_word =
                !text[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '-' || before == '_');
            character.is_whitespace()
                || matches!(character, '{' | '}' | ';' | ',' | '"' | '\'')
                || text[*at..].starts_with("/*")
                || (begins_word && starts_with_url(&text[*at..]))
        })
        .map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::{Piece::*, *};

    #[test]
    fn quotes_and_addresses_hide_what_looks_like_syntax() {
        assert_eq!(
            pieces(r#"a{b:"x;\"}" url(data:a;/*,b) }"#),
            [Word("a"), Mark('{'), Word("b:"), Quoted(r#""x;\"}""#), Space, Url("data:a;/*,b"), Space, Mark('}')]
        );
        assert_eq!(pieces("url( 'a)b.svg' )"), [Url("a)b.svg")]);
        assert_eq!(pieces("src:url(a.woff2)"), [Word("src:"), Url("a.woff2")]);
    }

    #[test]
    fn what_never_ends_does_not_hang_or_panic() {
        for css in ["/* open", "'open", "url(open", "url('open", "\"\\"] {
            assert_eq!(pieces(css).len(), 1, "{css}");
        }
    }
}
