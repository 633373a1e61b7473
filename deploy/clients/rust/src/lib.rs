//! Publishes trade decisions to trade-executor and follows their outcomes: nothing lost, nothing doubled.

mod intake;
mod keys;
mod position;
mod publisher;
mod subscriber;

pub use keys::CurveKeys;
pub use position::Position;
pub use publisher::Publisher;
pub use serde_json::Value;
pub use subscriber::Subscriber;

use std::fmt;

pub const DEFAULT_INTAKE: &str = "tcp://127.0.0.1:5555";
pub const DEFAULT_OUTCOMES: &str = "tcp://127.0.0.1:5556";

#[derive(Debug)]
pub enum Error {
    /// The worker does not take a message; this is its answer. Nothing of a refused decision reaches the broker. One
    /// exception: with the code `storage_failed` it is not known; the same decision, published again, gives the answer.
    Refused(Value),
    /// The time is over. Whether the worker has the decision is not known: publish the same one again, never another
    /// one in its place.
    NoAnswer,
    /// What answers is no worker, or what was given is no decision.
    Unreadable(String),
    Socket(zmq::Error),
    File(std::io::Error),
}

impl Error {
    /// Whether the same may be taken later.
    pub fn retry(&self) -> bool {
        match self {
            Error::Refused(answer) => answer["retry"] == true,
            Error::NoAnswer => true,
            _ => false,
        }
    }

    /// With the code `wrong_partition`: the intake of the worker that serves the strategy, where it is known.
    pub fn endpoint(&self) -> Option<&str> {
        match self {
            Error::Refused(answer) => answer["endpoint"].as_str(),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused(answer) => write!(to, "refused, {}: {}", answer["code"], answer["message"]),
            Error::NoAnswer => write!(to, "the worker has not answered in time"),
            Error::Unreadable(what) => write!(to, "{what}"),
            Error::Socket(error) => write!(to, "{error}"),
            Error::File(error) => write!(to, "{error}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<zmq::Error> for Error {
    fn from(error: zmq::Error) -> Self {
        Error::Socket(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Error::File(error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Error::Unreadable(error.to_string())
    }
}
