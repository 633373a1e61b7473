use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde_json::{json, Value};

use crate::Error;

/// Up to where a strategy's outcomes have been handled: what to keep on disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Position {
    /// The worker's database; `None` before anything was heard of it.
    pub stream: Option<String>,
    /// The last `strategy_seq`; 0 for none.
    pub counter: i64,
}

impl Position {
    /// The beginning, where there is no such file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Position::default()),
            Err(error) => return Err(error.into()),
        };
        let stored: Value = serde_json::from_slice(&text)?;
        let counter = stored["counter"]
            .as_i64()
            .ok_or(Error::Unreadable("no counter in a position".to_string()))?;
        Ok(Position {
            stream: stored["stream"].as_str().map(str::to_string),
            counter,
        })
    }

    /// Replaces the file in one step, so that a crash leaves the old or the new one.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let temporary = path.as_ref().with_extension("new");
        let mut file = File::create(&temporary)?;
        file.write_all(
            json!({"stream": self.stream, "counter": self.counter})
                .to_string()
                .as_bytes(),
        )?;
        file.sync_all()?;
        Ok(std::fs::rename(&temporary, path)?)
    }
}
