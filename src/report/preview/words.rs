//! What the words mean that a dry run is told in, for somebody who did not write the plan.

/// Each word with its meaning.
pub const WORDS: [(&str, &str); 9] = [
    ("prepare", "both sides are found, ready and large enough"),
    ("shift-50", "50 % of the traffic goes to target and is watched until the gates pass"),
    ("confirm", "all traffic is on target, legacy is seen to carry none"),
    ("stable", "nothing of the phases before goes back for as long as the plan asks"),
    ("soak", "target is watched, the way back stays open"),
    ("scream-test", "legacy is closed to everybody, to see who misses it; it can be opened again"),
    ("decommission", "legacy is switched off"),
    ("latest rollback", "the last moment at which all that is in motion can still go back before its window closes"),
    ("requests at risk", "how many can go wrong before a guard acts, where the plan says how many there are at the peak"),
];
