//! Causes of a mismatch: reports of users, captured requests, made mistakes, and the page of the manual.

mod captures;
mod manual;
mod properties;
mod reports;
