//! A [`Panic`] that travels: message, location, thread and backtrace; the payload stays where it is, and
//! the message takes its place.

use std::sync::{Mutex, OnceLock};

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::{Inner, Panic, PanicLocation, Trace};

/// File, line and column.
type Place<F> = (F, u32, u32);

impl Serialize for Panic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let place: Option<Place<&str>> = self
            .location()
            .map(|location| (location.file(), location.line(), location.column()));
        (self.message(), place, self.thread(), self.backtrace()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Panic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        type Parts = (
            String,
            Option<Place<String>>,
            Option<String>,
            Option<String>,
        );

        let (message, place, thread, trace) = Parts::deserialize(deserializer)?;
        Ok(Self(Box::new(Inner {
            message: message.clone().into(),
            location: place.map(|(file, line, column)| PanicLocation { file, line, column }),
            thread,
            trace: trace.map(|text| Trace {
                taken: None,
                text: OnceLock::from(text),
            }),
            payload: Mutex::new(Box::new(message)),
        })))
    }
}
