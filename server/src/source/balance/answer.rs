//! What providers answer, read strictly: a balance, or why there is none, in plain words.

use model::Nanodollars;
use serde_json::Value;

use super::Provider;

/// A balance as told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// What is left, in billionths of the currency.
    pub left: Nanodollars,
    /// `USD`, `CNY`, …
    pub currency: String,
}

/// Why there is no balance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Trouble {
    /// For people: what is wrong, and what to do about it.
    pub text: String,
    /// When to ask again at the earliest, seconds, where the provider said so.
    pub retry_after_s: Option<u64>,
    /// The key is not allowed to ask this; it may be allowed to ask something else.
    pub is_forbidden: bool,
}

impl Trouble {
    /// Something that is wrong, in plain words.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), retry_after_s: None, is_forbidden: false }
    }
}

/// What a balance can be asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// `GET /profile/balance` of Kilo.
    KiloBalance,
    /// `GET /credits` of OpenRouter: the account, for management keys.
    OpenRouterCredits,
    /// `GET /key` of OpenRouter: what the key itself may still spend.
    OpenRouterKey,
    /// `GET /user/balance` of DeepSeek.
    DeepSeekBalance,
}

impl Question {
    /// The first question to a provider.
    pub(super) const fn first(provider: Provider) -> Self {
        match provider {
            Provider::Kilo => Self::KiloBalance,
            Provider::OpenRouter => Self::OpenRouterCredits,
            Provider::DeepSeek => Self::DeepSeekBalance,
        }
    }

    /// What may be asked where this is forbidden.
    pub(super) const fn otherwise(self) -> Option<Self> {
        match self {
            Self::OpenRouterCredits => Some(Self::OpenRouterKey),
            _ => None,
        }
    }

    const fn provider(self) -> Provider {
        match self {
            Self::KiloBalance => Provider::Kilo,
            Self::OpenRouterCredits | Self::OpenRouterKey => Provider::OpenRouter,
            Self::DeepSeekBalance => Provider::DeepSeek,
        }
    }

    /// Its path below the provider's address.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::KiloBalance => "/profile/balance",
            Self::OpenRouterCredits => "/credits",
            Self::OpenRouterKey => "/key",
            Self::DeepSeekBalance => "/user/balance",
        }
    }

    /// Reads an answer. An error may also stand in the body of a 200.
    ///
    /// # Errors
    /// There is no balance in it; the text says why.
    pub(super) fn read(self, status: u16, body: &[u8]) -> Result<Balance, Trouble> {
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let inner = body.pointer("/error/code").and_then(as_number).and_then(|code| u16::try_from(code).ok());
        let status = if status == 200 && body.get("error").is_some_and(|e| !e.is_null()) {
            inner.unwrap_or(500)
        } else {
            status
        };
        let name = self.provider().title();
        match status {
            200 => self.balance(&body),
            401 | 403 => Err(Trouble {
                is_forbidden: true,
                ..Trouble::new(format!(
                    "{name} does not accept the key ({status}). Check that it is whole and in force."
                ))
            }),
            402 => match body.pointer("/error/balance").map(amount) {
                // Kilo says how little is left, and refuses all the same.
                Some(Ok(left)) => Ok(dollars(left)),
                _ => Err(Trouble::new(format!("{name} says that the credits are used up (402). Add some there."))),
            },
            404 => Err(Trouble::new(format!("There is no balance at {name}'s address (404). Check base_url."))),
            429 => Err(Trouble::new(format!("{name} asks to be asked less often (429). Raise poll_s."))),
            500.. => Err(Trouble::new(format!("{name} has a problem of its own ({status})."))),
            _ => Err(Trouble::new(format!("{name} answered with status {status} and no balance."))),
        }
    }

    fn balance(self, body: &Value) -> Result<Balance, Trouble> {
        let name = self.provider().title();
        let field = |path: &str| {
            let value = body.pointer(path).filter(|value| !value.is_null());
            let said = path.rsplit('/').next().unwrap_or(path);
            let value = value.ok_or_else(|| Trouble::new(format!("{name}'s answer has no \"{said}\".")))?;
            amount(value).map_err(|()| Trouble::new(format!("\"{said}\" in {name}'s answer is no amount.")))
        };
        match self {
            Self::KiloBalance => Ok(dollars(field("/balance")?)),
            Self::OpenRouterCredits => Ok(dollars(field("/data/total_credits")? - field("/data/total_usage")?)),
            Self::OpenRouterKey => {
                if body.pointer("/data/limit_remaining").is_some_and(Value::is_null) {
                    return Err(Trouble::new(
                        "This key of OpenRouter's has no limit of its own, and may not read the account's credits. \
                         Use a management key.",
                    ));
                }
                Ok(dollars(field("/data/limit_remaining")?))
            }
            Self::DeepSeekBalance => {
                let infos = body.get("balance_infos").and_then(Value::as_array).filter(|infos| !infos.is_empty());
                let infos = infos.ok_or_else(|| Trouble::new(format!("{name}'s answer has no \"balance_infos\".")))?;
                let currency = |info: &Value| info.get("currency").and_then(Value::as_str).map(str::to_owned);
                let index = infos.iter().position(|info| currency(info).as_deref() == Some("USD")).unwrap_or(0);
                let left = field(&format!("/balance_infos/{index}/total_balance"))?;
                let plain =
                    |text: &String| (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic());
                let currency = infos.get(index).and_then(currency).filter(plain);
                let currency =
                    currency.ok_or_else(|| Trouble::new(format!("{name}'s answer does not say its currency.")))?;
                Ok(Balance { left, currency })
            }
        }
    }
}

fn dollars(left: Nanodollars) -> Balance {
    Balance { left, currency: "USD".to_owned() }
}

/// A number, or a number in a text: both are seen.
fn amount(value: &Value) -> Result<Nanodollars, ()> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(()),
    };
    Nanodollars::parse_dollars(&text).map_err(|_| ())
}

fn as_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(question: Question, status: u16, body: &Value) -> String {
        match question.read(status, body.to_string().as_bytes()) {
            Ok(Balance { left, currency }) => format!("{left} {currency}"),
            Err(trouble) => trouble.text,
        }
    }

    #[test]
    fn each_provider_s_balance_is_read() {
        let check = |question: Question, body: Value, text: &str| assert_eq!(read(question, 200, &body), text);
        check(Question::KiloBalance, json!({"balance": 12.34, "isDepleted": false}), "$12.34 USD");
        check(Question::KiloBalance, json!({"balance": "-0.5", "isDepleted": true}), "-$0.50 USD");
        let credits = json!({"data": {"total_credits": 100.5, "total_usage": 25.75}});
        check(Question::OpenRouterCredits, credits, "$74.75 USD");
        let key = json!({"data": {"label": "x", "limit": 20, "limit_remaining": 7.5, "usage": 12.5}});
        check(Question::OpenRouterKey, key, "$7.50 USD");
        let yuan = json!({"is_available": true, "balance_infos": [{"currency": "CNY", "total_balance": "110.00"}]});
        check(Question::DeepSeekBalance, yuan, "$110.00 CNY");
        let both = json!({"balance_infos": [
            {"currency": "CNY", "total_balance": "1.00"}, {"currency": "USD", "total_balance": "2.50"}]});
        check(Question::DeepSeekBalance, both, "$2.50 USD");
        // More decimals than there are billionths are rounded.
        check(Question::KiloBalance, json!({"balance": "1.23456789049"}), "$1.23456789 USD");
    }

    #[test]
    fn what_is_no_balance_says_why_in_plain_words() {
        let check = |question: Question, status: u16, body: Value, words: &str| {
            let text = read(question, status, &body);
            assert!(text.contains(words), "{text}");
        };
        check(Question::KiloBalance, 200, json!({}), "no \"balance\"");
        check(Question::KiloBalance, 200, json!({"balance": [1]}), "no amount");
        check(Question::KiloBalance, 200, json!({"balance": "lots"}), "no amount");
        check(Question::KiloBalance, 200, json!("<html>"), "no \"balance\"");
        check(Question::OpenRouterCredits, 200, json!({"data": {"total_credits": 5}}), "no \"total_usage\"");
        check(Question::OpenRouterKey, 200, json!({"data": {"limit_remaining": null}}), "management key");
        check(Question::DeepSeekBalance, 200, json!({"balance_infos": []}), "no \"balance_infos\"");
        check(Question::DeepSeekBalance, 200, json!({"balance_infos": [{"total_balance": "1"}]}), "currency");
        check(Question::OpenRouterCredits, 401, json!({"error": {"message": "no"}}), "does not accept the key");
        check(Question::OpenRouterCredits, 402, json!({}), "used up");
        check(Question::OpenRouterCredits, 200, json!({"error": {"code": 402, "message": "no"}}), "used up");
        check(Question::OpenRouterCredits, 200, json!({"error": {"code": "402"}}), "used up");
        check(Question::OpenRouterCredits, 200, json!({"error": "what"}), "a problem of its own");
        check(Question::DeepSeekBalance, 429, json!({}), "less often");
        check(Question::DeepSeekBalance, 503, json!({}), "503");
        check(Question::DeepSeekBalance, 302, json!({}), "302");
    }

    #[test]
    fn kilo_s_refusal_for_too_little_tells_the_balance() {
        let body = json!({"error": {"title": "t", "message": "m", "balance": 0.4, "buyCreditsUrl": "https://x"}});
        assert_eq!(read(Question::KiloBalance, 402, &body), "$0.40 USD");
    }
}
