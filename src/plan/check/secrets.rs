//! Every text of a plan, wherever it stands: no patient's number, no secret.
//!
//! Works on the raw value, so that a broken part hides nothing in another. Names of things are texts like any other.
//! *Caveats*: a secret is known by its form. What looks like any other word is not found; findings never repeat the text.

use serde_json::Value;

use super::{at::At, personal};
use crate::plan::{
    finding::{Code, Finding},
    shape::FINDINGS_MAX,
};

/// Looks at all texts below `spec`.
pub(super) fn find(document: &Value) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(spec) = document.get("spec") {
        walk(spec, &At::top("spec"), &mut found);
    }
    found
}

/// Adds what was found. What another check has said of the same text in better words is not said again.
pub(super) fn add(secrets: Vec<Finding>, found: &mut Vec<Finding>) {
    for finding in secrets {
        if !found.iter().any(|old| old.code == finding.code && old.path == finding.path) {
            found.push(finding);
        }
    }
}

fn walk(value: &Value, at: &At<'_>, found: &mut Vec<Finding>) {
    if found.len() > FINDINGS_MAX {
        return; // no more are shown
    }
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                walk(inner, &at.key(name), found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                walk(inner, &at.index(index), found);
            }
        }
        Value::String(text) => judge(text, at, found),
        Value::Number(number) => judge(&number.to_string(), at, found),
        Value::Null | Value::Bool(_) => {}
    }
}

fn judge(text: &str, at: &At<'_>, found: &mut Vec<Finding>) {
    if text.len() < 6 {
        return;
    }
    if let Some(number) = personal::nhs_number(text) {
        let message = format!("the text contains {number}, a valid NHS number outside the test range");
        let help = "use a synthetic one that begins with 999, such as 9990000018";
        found.push(Finding::error(Code::PersonalData, at.path(), message, help));
    }
    match secret(text) {
        Some(Secret::Certain(what)) => {
            let message = format!("the text holds {what}");
            let help = "give credentials by reference (`secretRef`, `keyFromEnv`), and change this one: it has been written down";
            found.push(Finding::error(Code::SecretInPlan, at.path(), message, help));
        }
        Some(Secret::Likely(what)) => {
            let message = format!("the text seems to hold {what}");
            let help = "give credentials by reference (`secretRef`, `keyFromEnv`), and change this one if it is real";
            found.push(Finding::warning(Code::SecretInPlan, at.path(), message, help));
        }
        None => {}
    }
}

/// How sure a secret is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secret {
    /// By its form it is nothing else.
    Certain(&'static str),
    /// By the word before it.
    Likely(&'static str),
}

/// Beginnings of tokens that their makers gave a form of their own: what it is, how it begins, and how many letters or
/// digits follow at least (the documentation of GitHub, GitLab, Slack and AWS on their token formats).
const TOKENS: [(&str, &str, usize); 11] = [
    ("a GitHub token", "ghp_", 30),
    ("a GitHub token", "gho_", 30),
    ("a GitHub token", "ghs_", 30),
    ("a GitHub token", "github_pat_", 30),
    ("a GitLab token", "glpat-", 20),
    ("a Slack token", "xoxb-", 20),
    ("a Slack token", "xoxp-", 20),
    ("an AWS access key", "AKIA", 16),
    ("an AWS access key", "ASIA", 16),
    ("a Google API key", "AIza", 35),
    ("a Vault token", "hvs.", 24),
];

/// Words before `=` or `:` and a value.
const WORDS: [&str; 9] = ["password", "passwd", "passphrase", "secret", "token", "api_key", "apikey", "api-key", "private_key"];

/// The shortest text that holds any of these, but for a word that is given a value: `basic` and a dozen letters.
const SHORTEST: usize = 18;

fn secret(text: &str) -> Option<Secret> {
    // Most texts are names and addresses, and each form looked for costs its preparation.
    let gives = text.bytes().any(|byte| matches!(byte, b'=' | b':'));
    if text.len() < SHORTEST && !gives {
        return None;
    }
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----") {
        return Some(Secret::Certain("a private key"));
    }
    let long = |rest: &str, least: usize| {
        rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte)).count() >= least
    };
    for (what, begin, least) in TOKENS {
        let mut places = text.match_indices(begin);
        let free = |at: usize| at == 0 || text.as_bytes().get(at - 1).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        if places.any(|(at, _)| free(at) && text.get(at + begin.len()..).is_some_and(|rest| long(rest, least))) {
            return Some(Secret::Certain(what));
        }
    }
    // Three parts of base64url joined by dots, the first of which begins an object (RFC 7519).
    let jwt = |word: &str| word.starts_with("eyJ") && word.split('.').count() == 3 && word.split('.').all(|part| part.len() >= 8);
    let blank = |c: char| c.is_whitespace() || "\"',;".contains(c);
    if text.split(blank).any(jwt) {
        return Some(Secret::Certain("a signed token (JWT)"));
    }
    let mut words = text.split(blank).filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        if (word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic"))
            && words.clone().next().is_some_and(|next| next.len() >= 12 && (telling(next) || mixed(next)))
        {
            return Some(Secret::Likely("an `Authorization` header"));
        }
    }
    (gives && assigned(text)).then_some(Secret::Likely("a password or token"))
}

/// `password=…`, `"token": "…"` and the like, with a value that is no word and no reference.
fn assigned(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    WORDS.iter().any(|word| {
        lower.match_indices(word).any(|(at, _)| {
            let Some(rest) = text.get(at + word.len()..) else { return false };
            let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest).trim_start();
            let Some(rest) = rest.strip_prefix(['=', ':']) else { return false };
            let value = rest.trim_start().trim_start_matches(['"', '\'']);
            let end = value.find(|c: char| c.is_whitespace() || "\"'&,;}".contains(c)).unwrap_or(value.len());
            value.get(..end).is_some_and(|value| value.len() >= 6 && telling(value))
        })
    })
}

/// No variable, no placeholder, no plain word: letters and digits together.
fn telling(value: &str) -> bool {
    let reference = value.starts_with(['$', '<', '{', '~', '*', '=']) || value.contains("://") || value.contains("$(");
    !reference && value.bytes().any(|byte| byte.is_ascii_digit()) && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Small and capital letters in no order of a word's.
fn mixed(value: &str) -> bool {
    let inside: Vec<u8> = value.bytes().skip(1).collect();
    inside.iter().filter(|byte| byte.is_ascii_uppercase()).count() >= 2 && inside.iter().any(u8::is_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_form() {
        let letters = "a1B2".repeat(10);
        let certain = [
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE".to_owned(),
            format!("token ghp_{letters}"),
            format!("curl -H 'PRIVATE-TOKEN: glpat-{letters}'"),
            "aws AKIAABCDEFGHIJKLMNOP run".to_owned(),
            format!("Bearer eyJhbGciOi.eyJzdWIi{letters}.{letters}"),
        ];
        for text in certain {
            assert!(matches!(secret(&text), Some(Secret::Certain(_))), "{text}");
        }
        let likely = [
            "Authorization: Bearer 0123456789abcdef",
            "password=hunter22",
            r#"{"user": "x", "password": "hunter22"}"#,
            "export API_KEY: s3cr3tvalue",
            "Authorization: Basic dXNlcjpwYXNzMQ==",
            "basic a1b2c3d4e5f6",
            "token:a1b2c3",
        ];
        for text in likely {
            assert!(matches!(secret(text), Some(Secret::Likely(_))), "{text}");
        }
    }

    #[test]
    fn words_about_secrets_are_none() {
        let good = [
            "Ask the duty manager for the password: it is in the vault",
            "Password: see the vault, page 12",
            "token=$(TOKEN1)",
            "sum(rate(token_errors_total{token=~\"a1.*\"}[2m])) > 0.25",
            "The secret is kept in Secret tsig",
            "https://desk.example.org/basic/authentication/12345678",
            "basic checks of all 14 systems",
            "eyJ is how they begin",
            "AKIA",
        ];
        for text in good {
            assert_eq!(secret(text), None, "{text}");
        }
    }
}
