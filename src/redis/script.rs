//! Scripts that the server keeps by their hash.

use ::redis::{Cmd, ToRedisArgs, cmd};
use sha1::{Digest, Sha1};

/// A script, and its name on the server.
#[derive(Clone)]
pub(super) struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    pub(super) fn new(text: &'static str) -> Self {
        let hash = Sha1::digest(text);
        let hash = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { text, hash }
    }

    /// Returns a question that has no arguments yet.
    pub(super) fn on(&self, keys: &[Vec<u8>]) -> Question {
        let mut command = cmd("EVALSHA");
        command.arg(&self.hash).arg(keys.len()).arg(keys);
        let text = self.text;
        Question { text, command }
    }
}

/// A script with keys and arguments.
#[derive(Clone)]
pub(super) struct Question {
    text: &'static str,
    command: Cmd,
}

impl Question {
    pub(super) fn arg(&mut self, argument: impl ToRedisArgs) -> &mut Self {
        self.command.arg(argument);
        self
    }

    pub(super) fn command(&self) -> &Cmd {
        &self.command
    }

    pub(super) fn loading(&self) -> Cmd {
        let mut command = cmd("SCRIPT");
        command.arg("LOAD").arg(self.text);
        command
    }
}
