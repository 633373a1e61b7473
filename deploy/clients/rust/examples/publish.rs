//! Publishes one decision and prints its acknowledgement; exit code 1 where it is refused.
//!
//!     publish DECISION [INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]

use std::error::Error;
use std::process::ExitCode;

use trade_executor_client::{CurveKeys, Error as ClientError, Publisher, DEFAULT_INTAKE};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let decision = arguments
        .first()
        .ok_or("publish DECISION [INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]")?;
    let intake = arguments.get(1).map_or(DEFAULT_INTAKE, String::as_str);
    let keys = match arguments.get(2..4) {
        Some([secret, server]) => Some(CurveKeys::load(secret, server)?),
        _ => None,
    };
    match Publisher::new(intake, keys).publish(&serde_json::from_str(decision)?, None) {
        Ok(ack) => {
            println!("{ack}");
            Ok(ExitCode::SUCCESS)
        }
        Err(ClientError::Refused(answer)) => {
            println!("{answer}");
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}
