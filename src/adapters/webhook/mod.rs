//! Routers behind the webhook contract (`docs/design/webhook.md`).

pub mod contract;
pub mod signature;
