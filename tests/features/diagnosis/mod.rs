//! Causes of a mismatch: reports of users, captured requests, made mistakes, what one costs, and the page of the manual.

mod captures;
mod growth;
mod manual;
mod properties;
mod reports;
