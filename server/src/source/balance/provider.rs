//! The providers that tell a balance: their names, addresses and where their keys usually are.

/// A provider that tells a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Kilo: dollars.
    Kilo,
    /// OpenRouter: dollars, of the account or of the key.
    OpenRouter,
    /// DeepSeek: dollars or yuan.
    DeepSeek,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Kilo, Self::OpenRouter, Self::DeepSeek];

    /// Its name in the configuration and in the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Kilo => "kilo",
            Self::OpenRouter => "openrouter",
            Self::DeepSeek => "deepseek",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Kilo => "Kilo",
            Self::OpenRouter => "OpenRouter",
            Self::DeepSeek => "DeepSeek",
        }
    }

    /// Where it answers, without a slash at the end.
    #[must_use]
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::Kilo => "https://api.kilo.ai/api",
            Self::OpenRouter => "https://openrouter.ai/api/v1",
            Self::DeepSeek => "https://api.deepseek.com",
        }
    }

    /// The variable that usually holds its key.
    #[must_use]
    pub const fn key_env(self) -> &'static str {
        match self {
            Self::Kilo => "KILO_API_KEY",
            Self::OpenRouter => "OPENROUTER_API_KEY",
            Self::DeepSeek => "DEEPSEEK_API_KEY",
        }
    }

    /// The provider of that name.
    #[must_use]
    pub fn by_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.word() == word)
    }
}
