//! `gapless declare-success`.

use gapless::{
    engine::soak::{NoDeclaration, declared},
    plan::ServiceName,
};

use crate::{
    Exit,
    chosen::{Asked, Attempts, Chosen},
    cluster::Order,
};

/// Declare the soak of services over before its time
///
/// A service that soaks can go back at any moment; with its soak that ends. So its guards must be quiet all the same, and what
/// it needs must be past its soak. It speaks of the attempt that soaks now, not of a later one.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "gapless declare-success [OPTIONS] <RUN> <SERVICE>...\n       gapless declare-success --state <DIR> <SERVICE>..."
)]
pub struct Args {
    #[command(flatten)]
    chosen: Chosen,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    args.chosen.order(&Asked::<NoDeclaration> {
        attempts: declared,
        order: |attempts| Order::Declare(attempts),
        add: |orders, attempts| orders.declared.extend(attempts.clone()),
        in_cluster: |run, attempts| format!("the soak of {} in {run} is declared over", told(attempts)),
        in_directory: |attempts| format!("the end of the soak of {}, as soon as its guards are quiet", told(attempts)),
    })
}

/// `pds, scr`.
fn told(attempts: &Attempts) -> String {
    attempts.keys().map(ServiceName::as_str).collect::<Vec<_>>().join(", ")
}
