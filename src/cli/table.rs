//! Plain tables.

use comfy_table::{ContentArrangement, Table, presets::NOTHING};

/// A table without lines, as wide as the terminal.
pub fn plain(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(head.to_vec());
    table
}
