//! Reads a configuration from a file and the environment.

use std::{collections::BTreeMap, path::Path};

use toml::{Table, Value};

use super::Config;

impl Config {
    /// The configuration from an optional file and the environment. The error says what to change.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, String> {
        let mut table = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
                text.parse::<Table>().map_err(|e| {
                    let line = e.span().map_or(0, |span| {
                        text.as_bytes()[..span.start.min(text.len())].iter().filter(|b| **b == b'\n').count()
                    });
                    format!("{}, line {}: {}", path.display(), line + 1, without_values(e.message()))
                })?
            }
            None => Table::new(),
        };
        let defaults = Table::try_from(Self::default()).map_err(|e| e.to_string())?;
        let environment: BTreeMap<String, String> = environment.into_iter().collect();
        for (name, value) in environment {
            let Some(path) = name.strip_prefix("HAAT__") else { continue };
            let (path, value) = match path.strip_suffix("_FILE") {
                Some(path) => {
                    // The error doesn't quote the value, which may be the secret itself.
                    (path, std::fs::read_to_string(&value).map_err(|e| format!("{name}: {e}"))?)
                }
                None => (path, value),
            };
            set(&mut table, &defaults, &path.to_lowercase(), value.trim());
        }
        let config: Self =
            table.try_into().map_err(|e: toml::de::Error| format!("configuration: {}", one_line(&e)))?;
        config.check()?;
        Ok(config)
    }
}

/// An error in one line, without excerpts of the file and without values.
fn one_line(error: &toml::de::Error) -> String {
    let shown = |line: &&str| {
        !line.trim_start_matches([' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']).starts_with('|')
    };
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).filter(shown).collect();
    without_values(&lines.join(" "))
}

/// A parser's message without the values that it quotes: one may be a misplaced secret.
fn without_values(message: &str) -> String {
    let message = message.lines().collect::<Vec<_>>().join(" ");
    for kind in ["string \"", "integer `", "floating point `", "boolean `", "unknown variant `"] {
        let Some((before, value)) = message.split_once(kind) else { continue };
        let (name, quote) = kind.split_at(kind.len() - 1);
        // The last one, since the value may contain any text.
        let after = value.rsplit_once(&format!("{quote}, expected")).map(|(_, after)| after);
        let expected = after.map(|after| format!(", expected{after}")).unwrap_or_default();
        return format!("{before}{}{expected}", name.trim_end());
    }
    message
}

/// Sets a value from the environment. Its type is that of the default: a password of digits stays text.
fn set(table: &mut Table, defaults: &Table, path: &str, value: &str) {
    match path.split_once("__") {
        None => {
            table.insert(path.to_owned(), typed(defaults.get(path), value));
        }
        Some((section, name)) => {
            let value = typed(defaults.get(section).and_then(|section| section.get(name)), value);
            let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = section {
                section.insert(name.to_owned(), value);
            }
        }
    }
}

/// A value in the type of another; text if it can't be, which is reported with the setting's name later.
fn typed(like: Option<&Value>, text: &str) -> Value {
    let value = match like {
        Some(Value::Boolean(_)) => text.parse().ok().map(Value::Boolean),
        Some(Value::Integer(_)) => text.parse().ok().map(Value::Integer),
        _ => None,
    };
    value.unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::load;

    #[test]
    fn the_environment_wins() {
        let config =
            load(&[("HAAT__SERVER__BIND", "0.0.0.0:80"), ("HAAT__PAYMENTS__SANDBOX", "true"), ("PATH", "/")])
                .unwrap();
        assert_eq!(config.server.bind, "0.0.0.0:80");
        assert!(config.payments.sandbox);
        assert!(!config.secure());
    }

    /// Every text setting takes digits and `true` as text, if it accepts them at all.
    #[test]
    fn text_from_the_environment_stays_text() {
        let sections = Table::try_from(Config::default()).unwrap();
        let settings = sections.iter().filter_map(|(name, values)| Some((name, values.as_table()?)));
        let texts = settings.flat_map(|(section, values)| {
            let texts = values.iter().filter(|(_, value)| value.is_str());
            texts.map(move |(name, _)| format!("HAAT__{section}__{name}").to_uppercase())
        });
        let texts: Vec<String> = texts.collect();
        assert!(texts.contains(&"HAAT__SECURITY__SECRET".to_owned()), "{texts:?}");
        for name in &texts {
            for value in ["48151623421234567", "12345678901234567890123456789012", "true"] {
                let error = load(&[(name.as_str(), value)]).err().unwrap_or_default();
                assert!(
                    !error.contains("invalid type") && !error.contains("must be text"),
                    "{name}: {error}"
                );
            }
        }
        let config = load(&[
            ("HAAT__SECURITY__SECRET", "12345678901234567890123456789012"),
            ("HAAT__SERVER__METRICS_TOKEN", "4815162342"),
            ("HAAT__MEDIA__FOLDER", "2026"),
        ])
        .unwrap();
        assert_eq!(config.security.secret.reveal(), "12345678901234567890123456789012");
        assert_eq!(config.server.metrics_token.reveal(), "4815162342");
        assert_eq!(config.media.folder, "2026");
    }

    #[test]
    fn errors_do_not_tell_values_either() {
        for environment in [
            &[("HAAT__SECURITY", "hush\"48151623421234567")][..],
            &[("HAAT__DATABASE", "postgres://haat:48151623421234567@db/haat")],
            &[("HAAT__DATABASE__CONNECTIONS", "48151623421234567")],
            &[("HAAT__SECURITY__SECRET_FILE", "48151623421234567")],
            &[("HAAT__MODE", "hush4815")],
            &[("HAAT__MODE", "hush4815`, expected `4815")],
            &[("HAAT__MODE", "48151623421234567")],
            &[("HAAT__MAIL__CONFIRM_SIGN_UPS", "hush4815")],
            &[("HAAT__MARKET__CURRENCY", "hush4815")],
            &[("HAAT__PAYMENTS__CASH", "hush4815")],
            &[("HAAT__LIMITS__SCALE", "-4815")],
            &[("HAAT__LIMITS__SCALE", "4815.5")],
            &[("HAAT__LIMITS__SCALE", "48151623421234567890123456789012")],
            &[("HAAT__SERVER__BIND", "hush4815")],
            &[("HAAT__DATABASE__URL", "postgres://haat:4815@db:port/haat")],
            &[("HAAT__DATABASE__URL", "postgres://db/haat?sslmode=hush4815")],
            &[("HAAT__MAIL__SMTP_URL", "hush4815")],
            &[("HAAT__MAIL__FROM", "hush4815")],
            &[("HAAT__BUS__NATS", "hush4815")],
        ] {
            let error = load(environment).unwrap_err();
            assert!(!error.contains("4815") && error.lines().count() == 1, "{error}");
        }
        let error = load(&[("HAAT__MODE", "prod")]).unwrap_err();
        assert!(error.contains("unknown variant, expected `development` or `production`"), "{error}");
        assert!(error.contains("mode"), "{error}");
        let file = tempfile::NamedTempFile::new().unwrap();
        for (text, line) in [
            ("[security]\nsecret = hush4815", "line 2"),
            ("[security]\n\nsecret = \"hush4815", "line 3"),
            ("[security]\nsecret = 48151623421234567", "security.secret"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = Config::load(Some(file.path()), []).unwrap_err();
            assert!(!error.contains("4815") && error.contains(line), "{error}");
        }
    }
}
