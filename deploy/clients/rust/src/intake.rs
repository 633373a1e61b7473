use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{CurveKeys, Error};

/// How long to wait for an answer before the same bytes are sent again.
pub const ACK_WAIT: Duration = Duration::from_secs(2);

/// A connection to the worker's intake.
pub struct Intake {
    context: zmq::Context,
    endpoint: String,
    keys: Option<CurveKeys>,
    socket: Option<zmq::Socket>,
}

impl Intake {
    pub fn new(context: zmq::Context, endpoint: &str, keys: Option<CurveKeys>) -> Self {
        Intake {
            context,
            endpoint: endpoint.to_string(),
            keys,
            socket: None,
        }
    }

    pub fn ask(&mut self, body: &[u8], kind: &str, timeout: Option<Duration>) -> Result<Value, Error> {
        let end = timeout.map(|timeout| Instant::now() + timeout);
        loop {
            let left = end.map_or(ACK_WAIT, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(Error::NoAnswer);
            }
            if let Some(answer) = self.attempt(body, left.min(ACK_WAIT))? {
                return match answer {
                    answer if answer["type"] == "ack" && answer["status"] == "refused" => Err(Error::Refused(answer)),
                    answer if answer["type"] == kind => Ok(answer),
                    answer => Err(Error::Unreadable(format!("asked for {kind}, got {answer}"))),
                };
            }
        }
    }

    fn attempt(&mut self, body: &[u8], wait: Duration) -> Result<Option<Value>, Error> {
        // Taken out, so that after an error, or without an answer, it is closed: a late answer goes nowhere, and can't
        // be taken for that to another question.
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => connect(&self.context, zmq::DEALER, &self.endpoint, self.keys.as_ref(), &[])?,
        };
        socket.send(body, 0)?;
        let answer = receive(&socket, wait)?;
        if answer.is_some() {
            self.socket = Some(socket);
        }
        Ok(answer)
    }
}

pub fn connect(
    context: &zmq::Context,
    kind: zmq::SocketType,
    endpoint: &str,
    keys: Option<&CurveKeys>,
    topics: &[&str],
) -> Result<zmq::Socket, Error> {
    let socket = context.socket(kind)?;
    socket.set_linger(0)?;
    if let Some(keys) = keys {
        keys.apply(&socket)?;
    }
    for topic in topics {
        socket.set_subscribe(topic.as_bytes())?;
    }
    socket.connect(endpoint)?;
    Ok(socket)
}

/// The last frame of the next message, or nothing where none has come.
pub fn receive(socket: &zmq::Socket, wait: Duration) -> Result<Option<Value>, Error> {
    socket.set_rcvtimeo(wait.as_millis().max(1) as i32)?;
    match socket.recv_multipart(0) {
        Ok(frames) => Ok(Some(serde_json::from_slice(frames.last().map_or(&[], Vec::as_slice))?)),
        Err(zmq::Error::EAGAIN) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
