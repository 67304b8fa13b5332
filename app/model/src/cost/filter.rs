//! Which costs are looked at: a range of local days and what is chosen of each dimension, as an address has it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use compact_str::CompactString;

use super::{ChoiceError, DayError, Dimension, GroupName, LocalDay, UNATTRIBUTED};

/// Groups that may be chosen of one dimension.
pub const MAX_CHOICES: usize = 50;
/// Longest query that is read, in bytes.
pub const MAX_QUERY_BYTES: usize = 16 * 1024;
/// Longest range, in days: two years.
pub const MAX_RANGE_DAYS: i32 = 732;
/// Longest name of a time zone, in bytes.
const MAX_ZONE_BYTES: usize = 64;

/// The local days that are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum CostRange {
    /// The day it is.
    Today,
    /// Today and the six days before.
    SevenDays,
    /// Today and the 29 days before.
    #[default]
    ThirtyDays,
    /// From one day to another, both included.
    Between(LocalDay, LocalDay),
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostFilter {
    /// Days.
    pub range: CostRange,
    /// The time zone that days are of: an IANA name, which the server looks up.
    pub tz: CompactString,
    /// Of each dimension in it only these groups; each list is sorted, names every group once, and is not empty.
    chosen: BTreeMap<Dimension, Vec<GroupName>>,
}

impl Default for CostFilter {
    fn default() -> Self {
        Self { range: CostRange::default(), tz: CompactString::const_new("UTC"), chosen: BTreeMap::new() }
    }
}

/// Why an address could not be understood; each names its parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Far longer than any filter.
    #[error("the query has {0} bytes, at most {MAX_QUERY_BYTES} are read")]
    QueryTooLong(usize),
    /// Broken percent signs, or no UTF-8.
    #[error("{0}: not text that is written as addresses write it")]
    Encoding(String),
    /// Not a preset.
    #[error("range: \"{0}\" is no range; use today, 7d or 30d, or from and to")]
    UnknownRange(String),
    /// `from` or `to` is no date.
    #[error("{0}: {1}")]
    Day(&'static str, DayError),
    /// One of both is missing.
    #[error("{0} is missing: from and to are given together")]
    OneDay(&'static str),
    /// A preset and days at once.
    #[error("range: range and from/to exclude each other")]
    TwoRanges,
    /// The last day lies before the first.
    #[error("to: {to} lies before from, {from}")]
    Backwards {
        /// First day.
        from: LocalDay,
        /// Last day.
        to: LocalDay,
    },
    /// Over [`MAX_RANGE_DAYS`].
    #[error("to: {0} days are more than the {MAX_RANGE_DAYS} that are summed at once")]
    RangeTooLong(i32),
    /// No name that a zone could have.
    #[error("tz: \"{0}\" is no time zone; use an IANA name such as Europe/Berlin")]
    Zone(String),
    /// A group's name is none.
    #[error("{}: {error}", dimension.name())]
    Choice {
        /// Whose.
        dimension: Dimension,
        /// Why.
        error: ChoiceError,
    },
    /// Over [`MAX_CHOICES`].
    #[error("{}: more than {MAX_CHOICES} are chosen", .0.name())]
    TooManyChoices(Dimension),
    /// A parameter that must be there once is there twice.
    #[error("{0} is given twice")]
    Twice(&'static str),
}

impl CostRange {
    /// Its first and last day, both included.
    #[must_use]
    pub const fn days(self, today: LocalDay) -> (LocalDay, LocalDay) {
        match self {
            Self::Today => (today, today),
            Self::SevenDays => (today.plus(-6), today),
            Self::ThirtyDays => (today.plus(-29), today),
            Self::Between(first, last) => (first, last),
        }
    }
    const fn preset(self) -> Option<&'static str> {
        match self {
            Self::Today => Some("today"),
            Self::SevenDays => Some("7d"),
            Self::ThirtyDays => Some("30d"),
            Self::Between(..) => None,
        }
    }
    /// Two days, both included.
    ///
    /// # Errors
    /// The last lies before the first, or there are more than [`MAX_RANGE_DAYS`].
    pub fn between(from: LocalDay, to: LocalDay) -> Result<Self, FilterError> {
        let days = to.days_since(from).saturating_add(1);
        match days {
            ..=0 => Err(FilterError::Backwards { from, to }),
            1..=MAX_RANGE_DAYS => Ok(Self::Between(from, to)),
            _ => Err(FilterError::RangeTooLong(days)),
        }
    }
}

impl CostFilter {
    /// Reads an address's query (what stands behind the question mark), and gives back what in it is no part of a filter.
    ///
    /// # Errors
    /// Whatever cannot be understood, with the parameter's name.
    pub fn parse(query: &str) -> Result<(Self, Vec<(String, String)>), FilterError> {
        if query.len() > MAX_QUERY_BYTES {
            return Err(FilterError::QueryTooLong(query.len()));
        }
        let (mut filter, mut rest) = (Self::default(), Vec::new());
        let (mut range, mut from, mut to, mut tz) = (None, None, None, None);
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decode(name).ok_or_else(|| FilterError::Encoding(shown(name)))?;
            let value = decode(value).ok_or_else(|| FilterError::Encoding(shown(&name)))?;
            let once = |slot: &mut Option<String>, name: &'static str| match slot {
                Some(_) => Err(FilterError::Twice(name)),
                // An empty field of a form says nothing.
                None => {
                    *slot = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
                    Ok(())
                }
            };
            match name.as_str() {
                "range" => once(&mut range, "range")?,
                "from" => once(&mut from, "from")?,
                "to" => once(&mut to, "to")?,
                "tz" => once(&mut tz, "tz")?,
                other => match Dimension::parse(other) {
                    Some(_) if value.trim().is_empty() => {}
                    Some(dimension) => {
                        let bad = |error| FilterError::Choice { dimension, error };
                        filter.choose(dimension, dimension.group(&value).map_err(bad)?)?;
                    }
                    None => rest.push((name, value)),
                },
            }
        }
        filter.range = read_range(range.as_deref(), from.as_deref(), to.as_deref())?;
        if let Some(tz) = tz {
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
            if tz.len() > MAX_ZONE_BYTES || !tz.chars().all(is_name) {
                return Err(FilterError::Zone(shown(&tz)));
            }
            filter.tz = tz.into();
        }
        Ok((filter, rest))
    }

    /// Its query, which [`CostFilter::parse`] reads back. What is as always is left out.
    #[must_use]
    pub fn to_query(&self) -> String {
        let mut parts: Vec<(&str, String)> = Vec::new();
        match self.range {
            CostRange::Between(from, to) => parts.extend([("from", from.to_string()), ("to", to.to_string())]),
            range if range == CostRange::default() => {}
            range => parts.extend(range.preset().map(|preset| ("range", preset.to_owned()))),
        }
        if self.tz != Self::default().tz {
            parts.push(("tz", self.tz.to_string()));
        }
        for (dimension, groups) in &self.chosen {
            let spelled = |group: &GroupName| group.as_deref().unwrap_or(UNATTRIBUTED).to_owned();
            parts.extend(groups.iter().map(|group| (dimension.name(), spelled(group))));
        }
        let mut query = String::new();
        for (name, value) in parts {
            let _ = write!(query, "{}{name}=", if query.is_empty() { "" } else { "&" });
            encode(&value, &mut query);
        }
        query
    }

    /// The groups that are chosen of a dimension; none: all of them.
    #[must_use]
    pub fn chosen(&self, dimension: Dimension) -> &[GroupName] {
        self.chosen.get(&dimension).map_or(&[], Vec::as_slice)
    }

    /// Whether anything is chosen of a dimension.
    #[must_use]
    pub fn has(&self, dimension: Dimension) -> bool {
        self.chosen.contains_key(&dimension)
    }

    /// Chooses a group besides those that are chosen already.
    ///
    /// # Errors
    /// There are [`MAX_CHOICES`] already.
    pub fn choose(&mut self, dimension: Dimension, group: GroupName) -> Result<(), FilterError> {
        let groups = self.chosen.entry(dimension).or_default();
        if let Err(place) = groups.binary_search(&group) {
            if groups.len() == MAX_CHOICES {
                return Err(FilterError::TooManyChoices(dimension));
            }
            groups.insert(place, group);
        }
        Ok(())
    }

    /// Takes a choice back; the last one that goes leaves all groups.
    pub fn drop_choice(&mut self, dimension: Dimension, group: &GroupName) {
        if let Some(groups) = self.chosen.get_mut(&dimension) {
            groups.retain(|chosen| chosen != group);
            if groups.is_empty() {
                self.chosen.remove(&dimension);
            }
        }
    }

    /// Whether what a spender did is looked at; the range is another matter.
    #[must_use]
    pub fn admits(&self, spender: &super::Spender) -> bool {
        self.chosen.iter().all(|(dimension, groups)| groups.contains(&spender.group(*dimension)))
    }
}

fn read_range(range: Option<&str>, from: Option<&str>, to: Option<&str>) -> Result<CostRange, FilterError> {
    let day = |name: &'static str, raw: &str| LocalDay::parse(raw).map_err(|error| FilterError::Day(name, error));
    match (range, from, to) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => Err(FilterError::TwoRanges),
        (None, None, None) => Ok(CostRange::default()),
        (Some(raw), None, None) => {
            let presets = [CostRange::Today, CostRange::SevenDays, CostRange::ThirtyDays];
            let found = presets.into_iter().find(|preset| preset.preset() == Some(raw));
            found.ok_or_else(|| FilterError::UnknownRange(shown(raw)))
        }
        (None, Some(from), Some(to)) => CostRange::between(day("from", from)?, day("to", to)?),
        (None, Some(_), None) => Err(FilterError::OneDay("to")),
        (None, None, Some(_)) => Err(FilterError::OneDay("from")),
    }
}

fn shown(raw: &str) -> String {
    raw.chars().take(40).collect()
}

/// As forms write it: `+` is a space.
fn decode(raw: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                digit()? * 16 + digit()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn encode(value: &str, into: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/' | b':' | b'(' | b')') {
            into.push(char::from(byte));
        } else {
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_understood_is_refused_with_the_parameter_s_name() {
        let check = |query: &str, want: &str| {
            let error = CostFilter::parse(query).unwrap_err().to_string();
            assert!(error.contains(want), "{query}: {error}");
        };
        check("range=2h", "range: \"2h\" is no range");
        check("range=7d&from=2026-01-01", "exclude each other");
        check("from=2026-01-01", "to is missing");
        check("to=2026-01-01", "from is missing");
        check("from=2026-02-30&to=2026-03-01", "from: \"2026-02-30\" is not a date");
        check("from=2026-03-02&to=2026-03-01", "to: 2026-03-01 lies before");
        check("from=2020-03-02&to=2026-03-01", "more than the 732");
        check("role=king", "role: \"king\" is no role");
        check("role=(none)", "role: \"(none)\" is no role");
        check("provenance=guessed", "provenance: \"guessed\"");
        check("rig=a%0Ab", "rig: rig contains a control character");
        check(&format!("bead={}", "x".repeat(300)), "bead: bead has 300 bytes");
        check("tz=Mars%20Base", "tz: \"Mars Base\"");
        check("agent=%zz", "agent: not text");
        check("agent=%ff", "agent: not text");
        check("range=7d&range=30d", "range is given twice");
        let many: Vec<String> = (0..=MAX_CHOICES).map(|n| format!("rig=r{n}")).collect();
        check(&many.join("&"), "rig: more than 50");
        check(&"a".repeat(MAX_QUERY_BYTES + 1), "at most 16384");
    }

    #[test]
    fn what_is_no_part_of_a_filter_is_given_back() {
        let (filter, rest) = CostFilter::parse("town=home&rig=a+b&limit=5&rig=&from=&&by").unwrap();
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(rest, [own("town", "home"), own("limit", "5"), own("by", "")]);
        assert_eq!(filter.chosen(Dimension::Rig), [Some("a b".into())]);
        assert_eq!((filter.range, filter.tz.as_str()), (CostRange::ThirtyDays, "UTC"));
    }

    #[test]
    fn a_choice_comes_and_goes() {
        let mut filter = CostFilter::default();
        filter.choose(Dimension::Bead, None).unwrap();
        filter.choose(Dimension::Bead, Some("gt-1".into())).unwrap();
        filter.choose(Dimension::Bead, None).unwrap();
        assert_eq!(filter.to_query(), "bead=(none)&bead=gt-1");
        filter.drop_choice(Dimension::Bead, &None);
        filter.drop_choice(Dimension::Bead, &Some("gt-1".into()));
        assert_eq!(filter, CostFilter::default());
    }

    #[test]
    fn a_range_includes_its_last_day() {
        let day = |raw| LocalDay::parse(raw).unwrap();
        let today = day("2026-03-01");
        assert_eq!(CostRange::Today.days(today), (today, today));
        assert_eq!(CostRange::SevenDays.days(today), (day("2026-02-23"), today));
        assert_eq!(CostRange::ThirtyDays.days(today), (day("2026-01-31"), today));
    }

    fn filters() -> impl Strategy<Value = CostFilter> {
        let range = prop_oneof![
            Just(CostRange::Today),
            Just(CostRange::SevenDays),
            Just(CostRange::ThirtyDays),
            (0_i32..80_000, 0_i32..MAX_RANGE_DAYS).prop_map(|(first, more)| {
                let first = LocalDay::from_days(first);
                CostRange::between(first, first.plus(more)).unwrap()
            }),
        ];
        let tz = prop::sample::select(vec!["UTC", "Europe/Berlin", "Asia/Kathmandu", "Etc/GMT+12"]);
        let choices = prop::collection::vec((0..8_usize, ".{1,20}", 0..8_usize), 0..20);
        (range, tz, choices).prop_map(|(range, tz, choices)| {
            let mut filter = CostFilter { range, tz: tz.into(), ..CostFilter::default() };
            for (dimension, text, word) in choices {
                let dimension = Dimension::ALL[dimension];
                let raw = match dimension {
                    Dimension::Role => crate::Role::ALL[word % 7].name().to_owned(),
                    Dimension::Provenance => crate::event::Provenance::ALL[word % 5].name().to_owned(),
                    _ => text,
                };
                if let Ok(group) = dimension.group(&raw) {
                    filter.choose(dimension, group).unwrap();
                }
            }
            filter
        })
    }

    proptest! {
        #[test]
        fn a_filter_that_is_written_reads_back(filter in filters()) {
            prop_assert_eq!(CostFilter::parse(&filter.to_query()), Ok((filter, Vec::new())));
        }

        #[test]
        fn no_query_is_too_strange(query in ".{0,200}") {
            let _ = CostFilter::parse(&query);
        }
    }
}
