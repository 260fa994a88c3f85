//! `[recording]`: what is kept of what happens, for how long, and how safe it has to be before anything passes.

use std::collections::BTreeMap;
use std::fmt;

use sallyport_record::retention::Retention;
use sallyport_record::{Durability, Results, Terms};
use schemars::JsonSchema;
use serde::de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

use super::duration::TextDuration;
use super::outward::{KeyEntry, SinkEntry, WitnessEntry};

/// The recording.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordingEntry {
    /// When an operation waits for the disk before it is sent on.
    #[serde(default)]
    pub(crate) durability: DurabilityEntry,
    /// Which part of results is kept.
    #[serde(default)]
    pub(crate) results: ResultsEntry,
    /// How what is recorded is encrypted.
    #[serde(default)]
    pub(crate) encryption: EncryptionEntry,
    /// For how long what was said is kept after a session's end, as in `365d`. For ever when left out.
    #[serde(default)]
    pub(crate) keep: Option<TextDuration>,
    /// The service that wraps the segments' keys, for `encryption = "service"`.
    #[serde(default)]
    pub(crate) key: Option<KeyEntry>,
    /// Where copies go.
    #[serde(default)]
    pub(crate) sink: Option<SinkEntry>,
    /// Who signs the log's checkpoints besides.
    #[serde(default, rename = "witness")]
    pub(crate) witnesses: Vec<WitnessEntry>,
    /// Targets that are recorded otherwise.
    #[serde(default, rename = "target")]
    pub(crate) targets: Vec<TargetRecordingEntry>,
}

/// How one target is recorded; what is left out is as for all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetRecordingEntry {
    /// The target's name.
    pub(crate) name: String,
    /// When an operation waits for the disk before it is sent on.
    #[serde(default)]
    pub(crate) durability: Option<DurabilityEntry>,
    /// Which part of results is kept.
    #[serde(default)]
    pub(crate) results: Option<ResultsEntry>,
    /// For how long.
    #[serde(default)]
    pub(crate) keep: Option<TextDuration>,
}

/// How what is recorded is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EncryptionEntry {
    /// AES-256-GCM; each segment's key is wrapped by a key in `keys/recording-wrapping`.
    #[default]
    File,
    /// AES-256-GCM; each segment's key is wrapped by the service under `[recording.key]`.
    Service,
    /// In the clear.
    Off,
}

/// When an operation waits for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DurabilityEntry {
    /// Writes, holds, code and what is not understood wait for the disk; reads are synced within 5 ms.
    #[default]
    Auto,
    /// Everything waits for the disk.
    Disk,
    /// Nothing waits: what was written survives the gateway, not the machine.
    Os,
}

/// Which part of results is kept, after masking: `"full"`, `"digest"` or `{ first_rows = 100 }`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(untagged, rename_all = "lowercase")]
pub(crate) enum ResultsEntry {
    /// A word.
    Word(ResultsWord),
    /// The first rows, to the end of the piece in which the last of them came.
    FirstRows(FirstRows),
    /// All: when nothing is said.
    #[default]
    #[schemars(skip)]
    Unsaid,
}

/// How much, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ResultsWord {
    /// All.
    Full,
    /// Nothing but size and SHA-256.
    Digest,
}

/// How many rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstRows {
    /// At least so many.
    first_rows: u64,
}

impl<'de> Deserialize<'de> for ResultsEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = ResultsEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"full\", \"digest\" or { first_rows = 100 }")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ResultsEntry, E> {
                match text {
                    "full" => Ok(ResultsEntry::Word(ResultsWord::Full)),
                    "digest" => Ok(ResultsEntry::Word(ResultsWord::Digest)),
                    other => Err(E::unknown_variant(other, &["full", "digest", "{ first_rows = … }"])),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ResultsEntry, A::Error> {
                let found = FirstRows::deserialize(MapAccessDeserializer::new(map))?;
                if found.first_rows == 0 {
                    return Err(A::Error::custom("no rows at all is \"digest\""));
                }
                Ok(ResultsEntry::FirstRows(found))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl From<DurabilityEntry> for Durability {
    fn from(entry: DurabilityEntry) -> Self {
        match entry {
            DurabilityEntry::Auto => Self::Auto,
            DurabilityEntry::Disk => Self::Disk,
            DurabilityEntry::Os => Self::Os,
        }
    }
}

impl From<ResultsEntry> for Results {
    fn from(entry: ResultsEntry) -> Self {
        match entry {
            ResultsEntry::Word(ResultsWord::Full) | ResultsEntry::Unsaid => Self::Full,
            ResultsEntry::Word(ResultsWord::Digest) => Self::Digest,
            ResultsEntry::FirstRows(FirstRows { first_rows }) => Self::FirstRows(first_rows),
        }
    }
}

impl RecordingEntry {
    /// How each target that is named is recorded.
    pub(crate) fn terms(&self) -> BTreeMap<String, Terms> {
        let terms = |own: &TargetRecordingEntry| Terms {
            durability: own.durability.unwrap_or(self.durability).into(),
            results: own.results.unwrap_or(self.results).into(),
        };
        self.targets.iter().map(|own| (own.name.clone(), terms(own))).collect()
    }

    /// For how long what was said is kept.
    pub(crate) fn retention(&self) -> Retention {
        let seconds = |kept: Option<TextDuration>| kept.map(|kept| kept.0.as_secs());
        let own = self.targets.iter().filter(|own| own.keep.is_some());
        Retention {
            all: seconds(self.keep),
            targets: own.map(|own| (own.name.clone(), seconds(own.keep))).collect(),
        }
    }
}
