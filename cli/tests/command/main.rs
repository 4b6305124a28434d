//! The command, run as a process: what it prints, and with which exit code. No secret is ever in it.

mod batches;
mod codes;
mod common_errors;
mod credentials_file;
mod curl;
mod examples;
mod explain;
mod input;
mod json;
mod keys;
mod large_files;
mod permissions;
mod permissions_file;
mod policy;
mod run;
mod sign;
mod text;
