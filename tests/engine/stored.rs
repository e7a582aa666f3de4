//! Where records are kept: what each place says of one that it cannot read.

use gapless::{
    adapters::file_store,
    engine::record,
    kubernetes::{crd::MigrationRun, store},
};
use serde_json::{Value, json};

use crate::plans::one;

/// Of the form before this one, as it was written.
fn old() -> Value {
    let digest = one().digest().to_string();
    json!({
        "format": 1, "run": "run-0001", "plan": "test", "digest": digest, "startedAt": "2026-08-28T20:00:00Z",
        "services": { "only": {
            "stage": { "shifting": 1 },
            "order": { "from": 5, "weight": 25, "number": 2, "at": "2026-08-28T20:00:13.001Z" },
            "tasks": { "copy": { "stage": "done", "at": "2026-08-28T20:00:02Z", "orderedAt": "2026-08-28T20:00:01Z", "number": 1 } },
        } },
        "journal": { "seq": 0, "hash": "" },
    })
}

#[test]
fn a_record_of_another_form_is_refused_by_its_number_and_not_called_damaged() {
    let home = tempfile::tempdir().unwrap();
    let run = |record: &Value| {
        let object = json!({
            "metadata": { "name": "weekend" },
            "spec": { "plan": "test", "revision": "r", "startedBy": "ops" },
            "status": { "record": record },
        });
        serde_json::from_value::<MigrationRun>(object).unwrap()
    };
    let mut newer = old();
    (newer["format"], newer["glory"]) = (json!(record::FORMAT + 1), json!("of the future"));
    let (reads, next) = (format!("reads format {} only", record::FORMAT), record::FORMAT + 1);
    let whose = ["format 1, which an older version wrote".to_owned(), format!("format {next}, which a newer version wrote")];
    for (record, whose) in [old(), newer].into_iter().zip(&whose) {
        let kept = json!({ "number": 1, "record": record, "digest": "0".repeat(64) });
        std::fs::write(home.path().join("record.json"), kept.to_string()).unwrap();
        for error in [file_store::peek(home.path()).err().unwrap(), store::read(&run(&record), &one()).unwrap_err()] {
            let told = error.to_string();
            assert!(told.contains(whose) && told.contains(&reads) && !told.contains("damaged"), "{told}");
        }
    }
}
