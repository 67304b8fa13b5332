//! Every colour, stroke and size that a chart draws with. Nothing else in this crate names a colour.

use plotters::style::{Color as _, RGBAColor};

/// A colour with alpha.
pub type Color = RGBAColor;

/// Dark or light surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Light ink on a dark surface.
    #[default]
    Dark,
    /// Dark ink on a white surface.
    Light,
}

/// The three state colours: never the only sign of a state, always beside a position or a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Green.
    Ok,
    /// Yellow.
    Warn,
    /// Red.
    Bad,
}

/// The names of the roles in the order of [`Theme::roles`]; the last stands for every other name.
pub const ROLES: [&str; 7] = ["mayor", "polecat", "witness", "refinery", "deacon", "crew", "other"];

/// The kinds of tokens in the order of [`Theme::tokens`].
pub const TOKEN_KINDS: [&str; 5] = ["input", "output", "cache read", "cache write 5m", "cache write 1h"];

/// Colours, strokes (CSS px) and font sizes (CSS px) of one mode.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// Which mode this is.
    pub mode: Mode,
    /// What instruments stand on: the surface of a card.
    pub surface: Color,
    /// Text and the needle.
    pub ink: Color,
    /// Labels on axes and dials.
    pub muted: Color,
    /// Gridlines.
    pub grid: Color,
    /// The zero line of a chart.
    pub axis: Color,
    /// The empty track of a dial.
    pub track: Color,
    /// The marks of a dial.
    pub tick: Color,
    /// The small marks of a dial.
    pub tick_minor: Color,
    /// The ring around a needle's hub.
    pub hub: Color,
    /// The one accent.
    pub accent: Color,
    /// What could not be priced or attributed.
    pub unknown: Color,
    /// Colours of [`ROLES`]. Light mode deepens mayor and refinery, which would vanish on white.
    pub roles: [Color; 7],
    /// Colours of [`TOKEN_KINDS`].
    pub tokens: [Color; 5],
    states: [Color; 3],
    /// CSS font family of labels.
    pub font: &'static str,
    /// Size of axis labels.
    pub label_px: f64,
    /// Gridline stroke.
    pub grid_px: f64,
    /// Series stroke.
    pub line_px: f64,
    /// Alpha of the area under a line.
    pub fill_alpha: f64,
    /// Alpha of a stacked layer: stronger than under a line, since layers lie beside, not over, each other.
    pub stack_alpha: f64,
    /// Alpha of the lines of the period before: as faint as 3:1 to what they lie on allows, which may be the layers of a
    /// stack; dashes and a thinner stroke make them the background.
    pub before_alpha: f64,
}

impl Theme {
    /// The theme of a mode.
    pub fn new(mode: Mode) -> Self {
        match mode {
            Mode::Dark => Self {
                surface: rgb(0x14161a),
                ink: rgb(0xe8eaee),
                muted: rgb(0x8f96a3),
                grid: rgb(0xffffff).mix(0.07),
                axis: rgb(0xffffff).mix(0.22),
                track: rgb(0x2a2e36),
                tick: rgb(0xa9b0bb),
                tick_minor: rgb(0x5a616d),
                hub: rgb(0x343943),
                accent: rgb(0x4cc9e0),
                unknown: rgb(0x8a8f98),
                roles: [0xf59e0b, 0x3b82f6, 0x8b5cf6, 0x10b981, 0xef4444, 0x6366f1, 0x6b7280].map(rgb),
                tokens: [0x7fa7e8, 0x4fc1a6, 0x8b83b6, 0xd3a45c, 0xc77f8f].map(rgb),
                states: [0x3fb96b, 0xe0b02f, 0xee5350].map(rgb),
                stack_alpha: 0.55,
                before_alpha: 0.7,
                ..Self::common(mode)
            },
            Mode::Light => Self {
                surface: rgb(0xffffff),
                ink: rgb(0x1a1d23),
                muted: rgb(0x636b78),
                grid: rgb(0x101318).mix(0.08),
                axis: rgb(0x101318).mix(0.28),
                track: rgb(0xe4e6ea),
                tick: rgb(0x565d69),
                tick_minor: rgb(0xa4aab4),
                hub: rgb(0xd3d7dd),
                accent: rgb(0x0b7f99),
                unknown: rgb(0x7b818c),
                roles: [0xc27803, 0x3b82f6, 0x8b5cf6, 0x059669, 0xef4444, 0x6366f1, 0x6b7280].map(rgb),
                tokens: [0x4576c9, 0x178a70, 0x8178b4, 0xa8751f, 0xb0566b].map(rgb),
                states: [0x1f9a4c, 0xb78103, 0xd93636].map(rgb),
                stack_alpha: 0.45,
                before_alpha: 0.92,
                ..Self::common(mode)
            },
        }
    }

    fn common(mode: Mode) -> Self {
        let none = rgb(0);
        Self {
            mode,
            surface: none,
            ink: none,
            muted: none,
            grid: none,
            axis: none,
            track: none,
            tick: none,
            tick_minor: none,
            hub: none,
            accent: none,
            unknown: none,
            roles: [none; 7],
            tokens: [none; 5],
            states: [none; 3],
            font: "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
            label_px: 11.0,
            grid_px: 1.0,
            line_px: 1.5,
            fill_alpha: 0.12,
            stack_alpha: 0.5,
            before_alpha: 1.0,
        }
    }

    /// The colour of the period before over the layers of a stack, whose colours it must not be taken for.
    pub fn before_stacked(&self) -> Color {
        match self.mode {
            Mode::Dark => self.ink,
            // On white, ink is seen sooner than a colour is.
            Mode::Light => faded(self.ink, 0.6),
        }
    }

    /// The colour of a role by its name; that of `other` for a name not in [`ROLES`].
    pub fn role(&self, name: &str) -> Color {
        let index = ROLES.iter().position(|role| *role == name).unwrap_or(ROLES.len() - 1);
        self.roles[index]
    }

    /// The colour of a kind of tokens by its index in [`TOKEN_KINDS`].
    pub fn token(&self, kind: usize) -> Color {
        self.tokens[kind % self.tokens.len()]
    }

    /// The colour of a state.
    pub fn state(&self, state: State) -> Color {
        self.states[state as usize]
    }

    /// The same colour with its chroma taken out: what is stale is still readable, and plainly not live.
    pub fn desaturated(&self, color: Color) -> Color {
        let RGBAColor(r, g, b, alpha) = color;
        let grey = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
        let toward = |channel: u8| (f64::from(channel) * 0.12 + grey * 0.88).round() as u8;
        RGBAColor(toward(r), toward(g), toward(b), alpha * 0.75)
    }
}

/// The same colour at a share of its own alpha.
pub(crate) fn faded(color: Color, alpha: f64) -> Color {
    RGBAColor(color.0, color.1, color.2, color.3 * alpha)
}

/// `rgb(245 158 11 / 1)`: for legends and swatches in the document.
pub fn css(color: Color) -> String {
    let RGBAColor(r, g, b, alpha) = color;
    format!("rgb({r} {g} {b} / {alpha})")
}

fn rgb(hex: u32) -> Color {
    let [_, r, g, b] = hex.to_be_bytes();
    RGBAColor(r, g, b, 1.0)
}

/// The WCAG contrast ratio of two opaque colours, 1 to 21.
pub fn contrast(a: Color, b: Color) -> f64 {
    let luminance = |RGBAColor(r, g, b, _): Color| {
        let linear = |channel: u8| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_stands_out_from_the_surface() {
        for theme in [Theme::new(Mode::Dark), Theme::new(Mode::Light)] {
            let lines = theme.roles.iter().chain(&theme.tokens).chain(&theme.states);
            for color in lines.chain([&theme.accent, &theme.unknown, &theme.ink, &theme.tick]) {
                let ratio = contrast(*color, theme.surface);
                assert!(ratio >= 3.0, "{:?} {} {ratio:.2}", theme.mode, css(*color));
            }
            for text in [theme.ink, theme.muted] {
                assert!(contrast(text, theme.surface) >= 4.5, "{:?} {}", theme.mode, css(text));
            }
        }
    }

    /// What is seen where a colour lies on an opaque one.
    fn over(top: Color, alpha: f64, below: Color) -> Color {
        let mix = |a: u8, b: u8| (f64::from(a) * alpha + f64::from(b) * (1.0 - alpha)).round() as u8;
        RGBAColor(mix(top.0, below.0), mix(top.1, below.1), mix(top.2, below.2), 1.0)
    }

    #[test]
    fn the_period_before_is_seen_on_whatever_it_lies_on_and_fainter_than_what_is_now() {
        for theme in [Theme::new(Mode::Dark), Theme::new(Mode::Light)] {
            // In a stack it is drawn over the layers.
            let before = faded(theme.before_stacked(), theme.before_alpha);
            for layer in theme.roles.iter().chain(&theme.tokens) {
                let area = over(*layer, theme.stack_alpha, theme.surface);
                let ratio = contrast(over(before, before.3, area), area);
                assert!(ratio >= 3.0, "{:?} {} {ratio:.2}", theme.mode, css(*layer));
            }
            let line = over(before, before.3, theme.surface);
            assert!(contrast(line, theme.surface) < 0.6 * contrast(theme.ink, theme.surface), "{:?}", theme.mode);
            // Beside lines and bars it has their colours.
            for color in theme.states.iter().chain([&theme.accent, &theme.unknown]) {
                let ratio = contrast(over(*color, theme.before_alpha, theme.surface), theme.surface);
                assert!(ratio >= 3.0, "{:?} {} {ratio:.2}", theme.mode, css(*color));
            }
        }
    }

    #[test]
    fn dark_roles_are_the_product_s_own() {
        let theme = Theme::new(Mode::Dark);
        assert_eq!(css(theme.role("mayor")), "rgb(245 158 11 / 1)");
        assert_eq!(css(theme.role("refinery")), "rgb(16 185 129 / 1)");
        assert_eq!(theme.role("plumber"), theme.role("other"));
    }

    #[test]
    fn neighbouring_token_kinds_differ() {
        for theme in [Theme::new(Mode::Dark), Theme::new(Mode::Light)] {
            for pair in theme.tokens.windows(2) {
                let (RGBAColor(r, g, b, _), RGBAColor(x, y, z, _)) = (pair[0], pair[1]);
                let distance = (i32::from(r) - i32::from(x)).abs()
                    + (i32::from(g) - i32::from(y)).abs()
                    + (i32::from(b) - i32::from(z)).abs();
                assert!(distance > 90, "{:?} {distance}", theme.mode);
            }
        }
    }
}
