use std::time::Duration;

use serde_json::Value;

use crate::intake::Intake;
use crate::{CurveKeys, Error};

/// Has one decision in flight. Use one per strategy.
pub struct Publisher {
    intake: Intake,
}

impl Publisher {
    pub fn new(endpoint: &str, keys: Option<CurveKeys>) -> Self {
        Publisher {
            intake: Intake::new(zmq::Context::new(), endpoint, keys),
        }
    }

    /// Returns the acknowledgement once the decision is on disk at the worker.
    ///
    /// The decision has the members of the contract, without `v`; write amounts as strings. Without an answer within
    /// 2 s the same bytes are sent again, for as long as it takes, or `timeout`: then `Error::NoAnswer`.
    pub fn publish(&mut self, decision: &Value, timeout: Option<Duration>) -> Result<Value, Error> {
        let mut message = decision.clone();
        match message.as_object_mut() {
            Some(members) => members.insert("v".to_string(), 1.into()),
            None => return Err(Error::Unreadable("a decision is a JSON object".to_string())),
        };
        self.intake.ask(message.to_string().as_bytes(), "ack", timeout)
    }
}
