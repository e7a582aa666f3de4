//! A revision as an object: packed small enough for etcd, and proven by its digest when it is read.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use miniz_oxide::{deflate::compress_to_vec_zlib, inflate::decompress_to_vec_zlib_with_limit};

use super::crd::{MigrationPlanRevision, MigrationPlanRevisionSpec, PACKED_MAX, labels};
use crate::plan::{Digest, Plan, Revision, canonical};

/// No resolved plan is larger; what unpacks to more is refused before memory is spent on it.
const UNPACKED_MAX: usize = 64 << 20;
/// zlib's own default: beyond it a plan gets hardly smaller.
const LEVEL: u8 = 6;

/// Why a revision cannot be written or read. A complete sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRevision(String);

/// The object of a revision. Its name follows from plan and digest.
///
/// # Errors
/// The plan is too large for one object.
pub fn pack(revision: &Revision) -> Result<MigrationPlanRevision, BadRevision> {
    let plan = revision.plan();
    let packed = STANDARD.encode(compress_to_vec_zlib(canonical(plan).as_bytes(), LEVEL));
    if packed.len() > PACKED_MAX {
        return Err(BadRevision(format!("the plan is {} bytes when packed, and an object holds {PACKED_MAX}", packed.len())));
    }
    let spec = MigrationPlanRevisionSpec { plan: plan.name.clone(), digest: revision.digest().to_string(), packed };
    let name = MigrationPlanRevision::name_of(&plan.name, revision.digest());
    let mut object = MigrationPlanRevision::new(&plan.namespace, &name, spec);
    object.metadata.labels = Some(labels());
    Ok(object)
}

/// The revision in an object.
///
/// # Errors
/// It is damaged: not base64, not zlib, not a plan, or not the plan of its digest.
pub fn unpack(object: &MigrationPlanRevision) -> Result<Revision, BadRevision> {
    let name = object.metadata.name.as_deref().unwrap_or_default();
    let bad = |what: String| BadRevision(format!("revision {name} is damaged: {what}"));
    let bytes = STANDARD.decode(&object.spec.packed).map_err(|error| bad(error.to_string()))?;
    let text = decompress_to_vec_zlib_with_limit(&bytes, UNPACKED_MAX).map_err(|error| bad(error.to_string()))?;
    let found = Digest::of(&text);
    if found.as_str() != object.spec.digest {
        return Err(bad(format!("its digest is {found}, and it claims {}", object.spec.digest)));
    }
    let plan: Plan = serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
    if object.metadata.namespace.as_deref() != Some(plan.namespace.as_str()) {
        return Err(bad(format!("its plan is for namespace {}", plan.namespace)));
    }
    Ok(Revision::of(plan))
}
