//! Who answers a model call, as far as the model's name tells.

/// Beginnings of models' names, and who makes them.
const FAMILIES: [(&str, &str); 30] = [
    ("claude", "Anthropic"),
    ("gpt", "OpenAI"),
    ("chatgpt", "OpenAI"),
    ("codex", "OpenAI"),
    ("o1", "OpenAI"),
    ("o3", "OpenAI"),
    ("o4", "OpenAI"),
    ("gemini", "Google"),
    ("gemma", "Google"),
    ("deepseek", "DeepSeek"),
    ("grok", "xAI"),
    ("qwen", "Alibaba"),
    ("qwq", "Alibaba"),
    ("kimi", "Moonshot AI"),
    ("moonshot", "Moonshot AI"),
    ("glm", "Z.ai"),
    ("mistral", "Mistral"),
    ("mixtral", "Mistral"),
    ("codestral", "Mistral"),
    ("devstral", "Mistral"),
    ("magistral", "Mistral"),
    ("llama", "Meta"),
    ("minimax", "MiniMax"),
    ("nova", "Amazon"),
    ("command", "Cohere"),
    ("phi", "Microsoft"),
    ("nemotron", "NVIDIA"),
    ("ernie", "Baidu"),
    ("doubao", "ByteDance"),
    ("sonar", "Perplexity"),
];

/// Whose model it is. A gateway's prefix (`openrouter/anthropic/…`, `us.anthropic.…`) does not hide it. What is not known
/// is `other`.
#[must_use]
pub fn provider_of(model: &str) -> &'static str {
    let lower = model.to_ascii_lowercase();
    // The name itself comes last, behind slashes; a region and a maker may stand before it with dots.
    let name = lower.rsplit('/').next().unwrap_or_default();
    let begins = |part: &str| FAMILIES.iter().find(|(family, _)| part.starts_with(family)).map(|(_, maker)| *maker);
    begins(name).or_else(|| name.split('.').find_map(begins)).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_maker_is_found_behind_gateways_and_regions() {
        let check = |model: &str, want: &str| assert_eq!(provider_of(model), want, "{model}");
        check("claude-sonnet-4-20250514", "Anthropic");
        check("openrouter/anthropic/Claude-Opus-4.6", "Anthropic");
        check("us.anthropic.claude-opus-4-20250514-v1:0", "Anthropic");
        check("gpt-5.1-codex", "OpenAI");
        check("o3-mini", "OpenAI");
        check("models/gemini-2.5-pro", "Google");
        check("moonshotai/kimi-k2", "Moonshot AI");
        check("my-own", "other");
        check("", "other");
    }
}
