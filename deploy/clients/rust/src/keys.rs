use std::path::Path;

use crate::Error;

/// Our key pair and the worker's public key, each as 40 characters of Z85.
#[derive(Clone)]
pub struct CurveKeys {
    pub public: String,
    pub secret: String,
    pub server: String,
}

impl CurveKeys {
    /// From the files of `trade-executor keys generate`: our `NAME.key_secret`, the worker's public `NAME.key`.
    pub fn load(secret_file: impl AsRef<Path>, server_file: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(CurveKeys {
            public: find(secret_file.as_ref(), "public-key")?,
            secret: find(secret_file.as_ref(), "secret-key")?,
            server: find(server_file.as_ref(), "public-key")?,
        })
    }

    pub(crate) fn apply(&self, socket: &zmq::Socket) -> Result<(), zmq::Error> {
        let binary = |key: &str| zmq::z85_decode(key).map_err(|_| zmq::Error::EINVAL);
        socket.set_curve_publickey(&binary(&self.public)?)?;
        socket.set_curve_secretkey(&binary(&self.secret)?)?;
        socket.set_curve_serverkey(&binary(&self.server)?)
    }
}

fn find(file: &Path, name: &str) -> Result<String, Error> {
    let text = std::fs::read_to_string(file)?;
    // A # begins a comment only at the start of a line: keys contain it too.
    let key = text.lines().find_map(|line| {
        let (found, value) = line.split_once('=')?;
        let value = value.trim().trim_matches(|quote| quote == '"' || quote == '\'');
        (found.trim() == name && value.len() == 40).then(|| value.to_string())
    });
    key.ok_or_else(|| Error::Unreadable(format!("{} has no {name} of 40 characters", file.display())))
}
