//! Makes a line of a log harmless before anything else sees it: secrets, e-mail addresses and home folders go, and what is
//! too long is cut.
//!
//! It rather takes out too much: whatever looks like a key is gone, also if it is a hash.

use compact_str::CompactString;
use model::log_line::MAX_LOG_CHARS;

/// What stands in a secret's place.
const SECRET: &str = "[secret]";
/// What stands in an address's place.
const EMAIL: &str = "[e-mail]";
/// How keys of services begin.
const PREFIXES: [&str; 16] = [
    "sk-",
    "pk-",
    "rk-",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "AIza",
    "eyJ",
    "tg_",
];
/// A word that ends so, before `=` or `:`, names a secret.
const NAMES: [&str; 12] = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "authorization",
    "cookie",
    "credential",
    "private_key",
];
/// Letters and digits in a row of which so many may be a key.
const KEY_CHARS: usize = 24;
/// Of a line that is longer, no more is looked at: far more than is kept.
const LOOKED_AT: usize = 8 * MAX_LOG_CHARS;

/// The line as it may be kept: one line, at most [`MAX_LOG_CHARS`] characters and a word about what was cut.
#[must_use]
pub fn line(raw: &str) -> CompactString {
    let all = raw.chars().count();
    let plain = plain(raw);
    let mut words = Vec::new();
    let mut hide = false;
    for word in plain.split(' ').filter(|word| !word.is_empty()) {
        if word.contains("-----BEGIN") {
            // Whatever follows is a key.
            words.push(SECRET.to_owned());
            break;
        }
        let (shown, next) = if hide { (hidden(word), is_scheme(word)) } else { shown(word) };
        words.push(shown);
        hide = next;
    }
    let whole = words.join(" ");
    let kept: String = whole.chars().take(MAX_LOG_CHARS).collect();
    let cut = whole.chars().count().saturating_sub(MAX_LOG_CHARS) + all.saturating_sub(LOOKED_AT);
    if cut == 0 { kept.into() } else { format!("{kept}… ({cut} characters more)").into() }
}

/// The beginning of a text on one line, without colours and other control characters.
fn plain(raw: &str) -> String {
    let mut plain = String::new();
    let mut chars = raw.chars().take(LOOKED_AT).peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                // A terminal's sequence: up to its letter.
                if chars.next_if_eq(&'[').is_some() {
                    while chars.next_if(|c| !c.is_ascii_alphabetic()).is_some() {}
                    chars.next();
                }
            }
            c if c.is_control() || c.is_whitespace() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}

/// A word as it may be shown, and whether the next one is a secret.
fn shown(word: &str) -> (String, bool) {
    if let Some((name, value)) = named_secret(word) {
        let value = value.trim_start_matches(['"', '\'', ' ']);
        // `Authorization: Bearer xyz`: the scheme is not the secret yet.
        return if value.is_empty() || is_scheme(value) {
            (word.to_owned(), true)
        } else {
            (format!("{name}{SECRET}"), false)
        };
    }
    if is_scheme(word) {
        return (word.to_owned(), true);
    }
    let word = without_login(word);
    let mut out = String::new();
    for part in word.split_inclusive(|c: char| is_edge(c)) {
        let end = part.char_indices().last().filter(|(_, c)| is_edge(*c)).map_or(part.len(), |(at, _)| at);
        let (core, edge) = part.split_at(end);
        out.push_str(&core_shown(core));
        out.push_str(edge);
    }
    (at_home(&out), false)
}

/// What stands between parts of a word, each of which may be a secret or an address.
const fn is_edge(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '`'
            | ','
            | ';'
            | '('
            | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | '<'
            | '>'
            | '='
            | '&'
            | '?'
            | '|'
            | '/'
            | '\\'
    )
}

fn core_shown(core: &str) -> String {
    if is_email(core) {
        EMAIL.to_owned()
    } else if is_key(core) {
        SECRET.to_owned()
    } else {
        core.to_owned()
    }
}

fn hidden(word: &str) -> String {
    if is_scheme(word) { word.to_owned() } else { SECRET.to_owned() }
}

/// How an authorization begins.
fn is_scheme(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic")
}

/// `password=…`, `"api_key":…`: everything up to the value, and the value.
fn named_secret(word: &str) -> Option<(&str, &str)> {
    let at = word.find(['=', ':'])?;
    let name = word[..at].trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase();
    // `https://…` has a value of its own, and no name of a secret before it.
    NAMES.iter().any(|known| name.ends_with(known)).then(|| word.split_at(at + 1))
}

/// An address without the login that may stand in it.
fn without_login(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{SECRET}@{}", &rest[at + 1..]),
        None => word.to_owned(),
    }
}

fn is_email(core: &str) -> bool {
    let core = core.trim_matches(['.', ':', '!']);
    let core = core.strip_prefix("mailto:").unwrap_or(core);
    core.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))
    })
}

/// Whether it begins as keys of services do, or is as long as only keys are: letters and digits mixed.
fn is_key(core: &str) -> bool {
    let core = core.trim_matches(['.', ':', '!']);
    let token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '~' | '%');
    if core.len() >= 12 && core.chars().all(token) && PREFIXES.iter().any(|prefix| core.starts_with(prefix)) {
        return true;
    }
    let longest = core.split(|c: char| !c.is_ascii_alphanumeric() && c != '+' && c != '_');
    longest.into_iter().any(|run| {
        let (digits, letters) = (run.bytes().any(|b| b.is_ascii_digit()), run.bytes().any(|b| b.is_ascii_alphabetic()));
        run.len() >= KEY_CHARS && digits && letters
    })
}

/// Home folders by their sign: the names of people are theirs.
fn at_home(word: &str) -> String {
    let mut out = String::new();
    let mut rest = word;
    'next: while !rest.is_empty() {
        for (home, slash) in [("/home/", '/'), ("/Users/", '/'), ("\\Users\\", '\\')] {
            // `/api/towns/home/…` is no home.
            let begins = !out.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '~'));
            if let Some(after) = rest.strip_prefix(home).filter(|_| begins) {
                let end = after.find([slash, '"', '\'', ':', ',', ')', ';']).unwrap_or(after.len());
                // `C:` goes with it.
                if let [.., letter, b':'] = out.as_bytes()
                    && letter.is_ascii_alphabetic()
                    && slash == '\\'
                {
                    out.truncate(out.len() - 2);
                }
                out.push('~');
                rest = &after[end..];
                continue 'next;
            }
        }
        let step = rest.chars().next().map_or(1, char::len_utf8);
        out.push_str(&rest[..step]);
        rest = &rest[step..];
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_says_nothing_of_people_stays_as_it_is() {
        for text in [
            "upstream answered 529, trying again in 2 s",
            "GET /api/towns/home/events?limit=5 200 in 12 ms",
            "src/source/claude_code/parser.rs:41: unused variable `x`",
            "worker-17: 3 of 4 tests passed (75 %)",
            "tokens: 1200 in, 80 out",
        ] {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn secrets_addresses_and_homes_are_taken_out() {
        let check = |text: &str, want: &str| assert_eq!(line(text), want, "{text}");
        check("mail from ann.lee@example.org, twice", "mail from [e-mail], twice");
        check("key sk-ant-api03-abcdefghijkl refused", "key [secret] refused");
        check("token=abc123 rejected", "token=[secret] rejected");
        check("password: hunter2 is wrong", "password: [secret] is wrong");
        check("{\"api_key\":\"k1\",\"n\":1}", "{\"api_key\":[secret]");
        check("Authorization: Bearer abc.def", "Authorization: Bearer [secret]");
        check("header Bearer tg_short sent", "header Bearer [secret] sent");
        check("postgres://me:pw@db.local/x down", "postgres://[secret]@db.local/x down");
        check("GET /cb?code=4f9a8b7c6d5e4f3a2b1c0d9e8f7a", "GET /cb?code=[secret]");
        check("cannot open /home/ann/work/a.rs", "cannot open ~/work/a.rs");
        check("cannot open /Users/ann/a.rs: no", "cannot open ~/a.rs: no");
        check("in C:\\Users\\ann\\x", "in ~\\x");
        check("-----BEGIN PRIVATE KEY----- MIIabc", "[secret]");
        check("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "jwt [secret]");
        check("AKIAIOSFODNN7EXAMPLE", "[secret]");
    }

    #[test]
    fn it_is_one_line_without_colours_and_says_what_was_cut() {
        assert_eq!(line("\u{1b}[31mred\u{1b}[0m\nnext\tline\r\n"), "red next line");
        assert_eq!(line(" \n "), "");
        let long = "ab ".repeat(500);
        let cut = line(&long);
        assert!(cut.chars().count() < MAX_LOG_CHARS + 40 && cut.ends_with("characters more)"), "{cut}");
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_bounded_line(text in ".{0,4000}") {
            let kept = line(&text);
            prop_assert!(!kept.chars().any(char::is_control));
            prop_assert!(kept.chars().count() <= MAX_LOG_CHARS + 40);
        }

        #[test]
        fn no_secret_survives_wherever_it_stands(
            before in "[a-z ,.(\"']{0,30}", after in "[ ,.)\"';]{0,3}", body in "[A-Za-z]{10}[0-9][A-Za-z0-9]{20}", name in "[a-z]{3,8}"
        ) {
            for secret in [format!("sk-{body}"), format!("{name}@example.org"), format!("password={name}{body}"), body.clone()] {
                let text = format!("{before} {secret}{after}");
                let kept = line(&text);
                prop_assert!(!kept.contains(&body) && !kept.contains("@example.org"), "{} -> {}", text, kept);
            }
        }
    }
}
