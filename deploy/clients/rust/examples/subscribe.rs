//! Prints a strategy's outcomes, each once and in order, and keeps its position in a file.
//!
//!     subscribe STRATEGY POSITION_FILE [OUTCOMES INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]

use std::error::Error;

use trade_executor_client::{CurveKeys, Position, Subscriber, DEFAULT_INTAKE, DEFAULT_OUTCOMES};

const USAGE: &str = "subscribe STRATEGY POSITION_FILE [OUTCOMES INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (strategy, position_file, rest) = match arguments.as_slice() {
        [strategy, position_file, rest @ ..] => (strategy, position_file, rest),
        _ => return Err(USAGE.into()),
    };
    let outcomes = rest.first().map_or(DEFAULT_OUTCOMES, String::as_str);
    let intake = rest.get(1).map_or(DEFAULT_INTAKE, String::as_str);
    let keys = match rest.get(2..4) {
        Some([secret, server]) => Some(CurveKeys::load(secret, server)?),
        _ => None,
    };
    let mut subscriber = Subscriber::new(strategy, Position::load(position_file)?, outcomes, intake, keys);
    loop {
        println!("{}", subscriber.receive()?);
        // Only now: an outcome that was not handled comes again.
        subscriber.position().save(position_file)?;
    }
}
