//! One file or folder for each outside system. An adapter knows its own system and no other adapter; it looks and does,
//! and judges nothing.

pub mod clock;
pub mod effective;
pub mod file_store;
pub mod http;
pub mod prober;
pub mod standalone;
pub mod wake;
pub mod webhook;
