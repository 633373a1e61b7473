use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{json, Value};

use crate::intake::{connect, receive, Intake, ACK_WAIT};
use crate::{CurveKeys, Error, Position};

/// A heartbeat comes every second; after so long without one we are cut off.
const SILENCE: Duration = Duration::from_secs(5);

/// Gives a strategy's outcomes, each once and in order. What the topic lost is replayed from the worker.
pub struct Subscriber {
    strategy: String,
    outcomes: String,
    keys: Option<CurveKeys>,
    context: zmq::Context,
    intake: Intake,
    live: Option<zmq::Socket>,
    heard: Instant,
    position: Position,
    // Only the answer to a replay changes the stream: live messages of an older database may still wait in the queue
    // when the worker has begun another one.
    stream: Option<String>,
    last: i64,
    behind: bool,
    ready: VecDeque<Value>,
}

impl Subscriber {
    pub fn new(strategy: &str, after: Position, outcomes: &str, intake: &str, keys: Option<CurveKeys>) -> Self {
        let context = zmq::Context::new();
        Subscriber {
            strategy: strategy.to_string(),
            outcomes: outcomes.to_string(),
            intake: Intake::new(context.clone(), intake, keys.clone()),
            keys,
            context,
            live: None,
            heard: Instant::now(),
            stream: after.stream.clone(),
            last: after.counter,
            position: after,
            behind: false,
            ready: VecDeque::new(),
        }
    }

    /// Of the last outcome that was handed out.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Waits for the next outcome. `Error::Refused` where we may not read the outcomes.
    pub fn receive(&mut self) -> Result<Value, Error> {
        loop {
            if let Some(outcome) = self.ready.pop_front() {
                // Not the outcome's own stream: one from before a restoration or a move names the stream of then.
                self.position = Position {
                    stream: self.stream.clone(),
                    counter: counter(&outcome),
                };
                return Ok(outcome);
            }
            if self.behind {
                self.catch_up()?;
            } else {
                self.listen()?;
            }
        }
    }

    /// Takes one message of the topic.
    fn listen(&mut self) -> Result<(), Error> {
        let live = match self.live.take() {
            Some(live) => live,
            None => {
                self.heard = Instant::now();
                let topic = format!("outcome|{}|", self.strategy);
                connect(
                    &self.context,
                    zmq::SUB,
                    &self.outcomes,
                    self.keys.as_ref(),
                    &[&topic, "heartbeat|"],
                )?
            }
        };
        let message = receive(&live, Duration::from_secs(1))?;
        if message.is_some() {
            self.heard = Instant::now();
        }
        // A connection that was refused, or whose other end vanished, never comes back: a new one then.
        if self.heard.elapsed() < SILENCE {
            self.live = Some(live);
        }
        match message {
            Some(message) if message["stream"].as_str() != self.stream.as_deref() => self.behind = true,
            Some(message) if message["type"] == "heartbeat" => {
                self.behind = message["strategies"][&self.strategy].as_i64().unwrap_or(0) > self.last;
            }
            Some(message) if message["type"] == "outcome" => {
                if counter(&message) == self.last + 1 {
                    self.take(message);
                } else {
                    self.behind = counter(&message) > self.last;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn catch_up(&mut self) -> Result<(), Error> {
        let request = json!({"v": 1, "type": "replay", "strategy_name": self.strategy, "after": self.last});
        let page = match self
            .intake
            .ask(request.to_string().as_bytes(), "replay", Some(ACK_WAIT))
        {
            Ok(page) => page,
            Err(error) if error.retry() => {
                // The next heartbeat tells again that something is missing.
                self.behind = false;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let stream = page["stream"].as_str().map(str::to_string);
        let other_database = self.stream.is_some() && stream != self.stream;
        self.stream = stream;
        if other_database && self.last > 0 {
            // Its counters begin anew: ask again, from its beginning.
            self.last = 0;
            return Ok(());
        }
        for outcome in page["outcomes"].as_array().into_iter().flatten() {
            if counter(outcome) > self.last {
                self.take(outcome.clone());
            }
        }
        self.behind = page["more"] == true;
        Ok(())
    }

    fn take(&mut self, outcome: Value) {
        self.last = counter(&outcome);
        self.ready.push_back(outcome);
    }
}

fn counter(outcome: &Value) -> i64 {
    outcome["strategy_seq"].as_i64().unwrap_or(0)
}
