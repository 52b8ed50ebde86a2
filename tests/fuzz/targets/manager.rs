//! A manager's server against clients that send anything, without the key and with it: it answers or hangs
//! up, and never panics.
#![no_main]

use arbitrary::Arbitrary;
use brigade::manager::replies;
use libfuzzer_sys::fuzz_target;

/// What a stranger is sent at most: a challenge, and that it is refused.
const REFUSAL: usize = 40 + 48;

#[derive(Debug, Arbitrary)]
enum Client<'a> {
    /// Does not know the key.
    Stranger(&'a [u8]),
    /// Knows the key, and sends anything.
    Careless(&'a [u8]),
    /// Knows the key, and sends whole frames with anything in them.
    Framed(Vec<&'a [u8]>),
}

fuzz_target!(|client: Client<'_>| match client {
    Client::Stranger(bytes) => {
        let sent = replies(&[&[1], bytes].concat());
        assert!(sent.len() <= REFUSAL, "{} bytes", sent.len());
    }
    Client::Careless(bytes) => drop(replies(&[&[0], bytes].concat())),
    Client::Framed(messages) => {
        let mut bytes = vec![0];
        for message in messages {
            bytes.extend(u32::try_from(message.len()).unwrap().to_le_bytes());
            bytes.extend(message);
        }
        drop(replies(&bytes));
    }
});
