//! How client and server prove to each other that they know the key, before anything else is said.
//!
//! ```text
//!     server                                                     client
//!       | magic, version, s = 32 random bytes                       |
//!       |---------------------------------------------------------->|
//!       |             c = 32 random bytes, session, HMAC(key, "client", s, c, session)
//!       |<----------------------------------------------------------|
//!       | verdict, limit, HMAC(key, "server", s, c, session, limit)
//!       |---------------------------------------------------------->|
//! ```
//!
//! HMAC-SHA256. The words keep a proof of one side from being one of the other's; the random bytes of
//! both keep an old one from being a new one. The client proves first: a stranger who connects learns
//! random bytes only. All three have a fixed length, so nothing is parsed before the key
//! is proved, and there is nothing to allocate. A server that has no room says so to who knows the
//! key.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::error::Error;
use super::key::Key;

/// What the server says first: eight bytes, then its random ones.
pub(super) const CHALLENGE: usize = 40;
/// What the client answers: random bytes, its session, its proof.
pub(super) const ANSWER: usize = 80;
/// What the server says of it: a word, the limit, its proof.
pub(super) const VERDICT: usize = 48;

const HELLO: [u8; 8] = *b"brigade1";
const WELCOME: [u8; 8] = *b"welcome!";
const REFUSED: [u8; 8] = *b"wrongkey";
const NO_ROOM: [u8; 8] = *b"no room!";

/// Who a client is: all connections of a process to one manager belong to one session.
pub(super) type Session = [u8; 16];

/// The server's first message.
pub(super) fn challenge(nonce: &[u8; 32]) -> [u8; CHALLENGE] {
    concat([&HELLO, nonce])
}

/// The client's answer to the challenge.
pub(super) fn answer(
    key: &Key,
    challenge: &[u8; CHALLENGE],
    nonce: &[u8; 32],
    session: &Session,
) -> Result<[u8; ANSWER], Error> {
    match challenge.split_first_chunk() {
        Some((&HELLO, theirs)) => {
            let proof = proof(key, *b"client", [theirs, nonce, session]);
            Ok(concat([nonce, session, &proof.finalize().into_bytes()]))
        }
        _ => Err(Error::Protocol("what listens there is no manager")),
    }
}

/// Whose the answer is, if that knows the key.
pub(super) fn session(key: &Key, nonce: &[u8; 32], answer: &[u8; ANSWER]) -> Option<Session> {
    let (theirs, rest) = answer.split_at(32);
    let (session, their_proof) = rest.split_at(16);
    let proof = proof(key, *b"client", [nonce, theirs, session]);
    proof.verify_slice(their_proof).ok()?;
    session.try_into().ok()
}

/// The verdict for who knows the key; messages may be so large.
pub(super) fn welcome(
    key: &Key,
    nonce: &[u8; 32],
    answer: &[u8; ANSWER],
    limit: u64,
) -> [u8; VERDICT] {
    let limit = limit.to_le_bytes();
    let (theirs, rest) = answer.split_at(32);
    let proof = proof(key, *b"server", [nonce, theirs, &rest[..16]]).chain_update(limit);
    concat([&WELCOME, &limit, &proof.finalize().into_bytes()])
}

/// The verdict for who does not know the key.
pub(super) fn refused() -> [u8; VERDICT] {
    concat([&REFUSED, &[0; 40]])
}

/// The verdict for who knows the key, but comes when there are too many.
pub(super) fn no_room() -> [u8; VERDICT] {
    concat([&NO_ROOM, &[0; 40]])
}

/// What the client makes of the verdict: how large messages may be.
pub(super) fn admitted(
    key: &Key,
    challenge: &[u8; CHALLENGE],
    answer: &[u8; ANSWER],
    verdict: &[u8; VERDICT],
) -> Result<u64, Error> {
    let rest = match verdict.split_first_chunk() {
        Some((&WELCOME, rest)) => rest,
        Some((&NO_ROOM, _)) => return Err(Error::Busy),
        _ => return Err(Error::WrongKey),
    };
    let (limit, their_proof) = rest.split_at(8);
    let (nonce, rest) = answer.split_at(32);
    proof(key, *b"server", [&challenge[8..], nonce, &rest[..16]])
        .chain_update(limit)
        .verify_slice(their_proof)
        .map_err(|_| Error::WrongKey)?;
    let mut bytes = [0; 8];
    bytes.copy_from_slice(limit);
    Ok(u64::from_le_bytes(bytes))
}

/// All parts but the last have a fixed length, so no two lists of parts are the same bytes.
fn proof(key: &Key, side: [u8; 6], parts: [&[u8]; 3]) -> Hmac<Sha256> {
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        unreachable!("a key of an HMAC has any length");
    };
    hmac.update(&side);
    for part in parts {
        hmac.update(part);
    }
    hmac
}

/// The parts one behind the other: they fill the array.
fn concat<const N: usize, const PARTS: usize>(parts: [&[u8]; PARTS]) -> [u8; N] {
    let mut whole = [0; N];
    let mut filled = 0;
    for part in parts {
        whole[filled..][..part.len()].copy_from_slice(part);
        filled += part.len();
    }
    debug_assert_eq!(filled, N);
    whole
}

#[cfg(test)]
mod tests {
    use super::{
        ANSWER, CHALLENGE, VERDICT, admitted, answer, challenge, no_room, refused, session, welcome,
    };
    use crate::manager::{Error, Key};

    const KEY: Key = Key::new([7; 32]);
    const OTHER: Key = Key::new([8; 32]);

    #[test]
    fn who_knows_the_key_is_let_in() {
        let hello = challenge(&[1; 32]);
        let reply = answer(&KEY, &hello, &[2; 32], &[3; 16]).unwrap();
        assert_eq!(session(&KEY, &[1; 32], &reply), Some([3; 16]));
        let word = welcome(&KEY, &[1; 32], &reply, 4);
        assert_eq!(admitted(&KEY, &hello, &reply, &word).unwrap(), 4);
    }

    #[test]
    fn each_side_refuses_who_does_not_know_the_key() {
        let hello = challenge(&[1; 32]);
        let reply = answer(&OTHER, &hello, &[2; 32], &[3; 16]).unwrap();
        assert_eq!(session(&KEY, &[1; 32], &reply), None);

        // A server that lets in whoever comes.
        let word = welcome(&OTHER, &[1; 32], &reply, 4);
        let entered = admitted(&KEY, &hello, &reply, &word);
        assert!(matches!(entered, Err(Error::WrongKey)));
    }

    #[test]
    fn no_byte_may_be_another() {
        let hello = challenge(&[1; 32]);
        let reply = answer(&KEY, &hello, &[2; 32], &[3; 16]).unwrap();
        let word = welcome(&KEY, &[1; 32], &reply, 4);
        for place in 0..ANSWER {
            let mut changed = reply;
            changed[place] ^= 1;
            assert_eq!(session(&KEY, &[1; 32], &changed), None, "{place}");
        }
        for place in 0..VERDICT {
            let mut changed = word;
            changed[place] ^= 1;
            assert!(admitted(&KEY, &hello, &reply, &changed).is_err(), "{place}");
        }
        for place in 0..CHALLENGE {
            let mut changed = hello;
            changed[place] ^= 1;
            assert!(place < 8 || admitted(&KEY, &changed, &reply, &word).is_err());
            assert!(place >= 8 || answer(&KEY, &changed, &[2; 32], &[3; 16]).is_err());
        }
    }

    #[test]
    fn an_old_answer_does_not_fit_a_new_challenge() {
        let reply = answer(&KEY, &challenge(&[1; 32]), &[2; 32], &[3; 16]).unwrap();
        assert_eq!(session(&KEY, &[9; 32], &reply), None);
    }

    #[test]
    fn the_client_is_told_why_not() {
        let hello = challenge(&[1; 32]);
        let reply = answer(&KEY, &hello, &[2; 32], &[3; 16]).unwrap();
        let told = |word| admitted(&KEY, &hello, &reply, &word);
        assert!(matches!(told(no_room()), Err(Error::Busy)));
        assert!(matches!(told(refused()), Err(Error::WrongKey)));
        let nonsense = answer(&KEY, &[b'x'; CHALLENGE], &[2; 32], &[3; 16]);
        assert!(matches!(nonsense, Err(Error::Protocol(_))));
    }
}
