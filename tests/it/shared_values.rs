//! `shared::{Value, Array, Bytes}`.

use std::io::{self, Read, Write};
use std::thread;

use brigade::shared::{Array, Bytes, LockError, Value};

use crate::other_process::{Other, argument, await_death, say};

#[test]
fn writes_until_it_is_killed() {
    let role = "shared_values::writes_until_it_is_killed";
    let Some((value, array)) = argument::<(Value<[u64; 64]>, Array<u16>)>(role) else {
        return;
    };
    say("writing");
    for n in 0_u64.. {
        value.set([n; 64]);
        #[allow(clippy::cast_possible_truncation, reason = "any two equal bytes")]
        array.set(3, u16::from_ne_bytes([n as u8; 2]));
    }
}

/// The old one or the new one, never half, from wherever it is looked at and whenever the writer dies.
#[test]
fn a_value_is_never_half_written() {
    let whole = |value: [u64; 64]| value.iter().all(|part| *part == value[0]);
    let (value, array) = (
        Value::new([0; 64]).unwrap(),
        Array::<u16>::zeroed(9).unwrap(),
    );
    for _ in 0..5 {
        let mut other = Other::start(
            "shared_values::writes_until_it_is_killed",
            &(&value, &array),
        );
        assert_eq!(other.hear().as_deref(), Some("writing"));
        for _ in 0..5_000 {
            assert!(whole(value.get()));
            let [low, high] = array.get(3).to_ne_bytes();
            assert_eq!(low, high);
        }
        other.kill();
        assert!(whole(value.get()));
        assert!(
            value.update(|value| whole(*value)),
            "nobody waits for the dead"
        );
    }
    let mut elements = array.to_vec();
    elements[3] = 0;
    assert_eq!(elements, [0; 9], "the neighbours are as they were");
}

#[test]
fn counts() {
    let Some((value, array)) = argument::<(Value<u64>, Array<u32>)>("shared_values::counts") else {
        return;
    };
    for _ in 0..1_000 {
        value.update(|value| *value += 1);
        array.with_lock(|array| array.set(1, array.get(1) + 1));
    }
}

#[test]
fn no_update_is_lost() {
    let (value, array) = (Value::new(0_u64).unwrap(), Array::<u32>::zeroed(3).unwrap());
    let others = [(); 3].map(|()| Other::start("shared_values::counts", &(&value, &array)));
    others.into_iter().for_each(Other::join);
    assert_eq!(value.get(), 3_000);
    assert_eq!(array.to_vec(), [0, 3_000, 0]);
}

#[test]
fn an_update_that_panics_changes_nothing() {
    let value = Value::new(1).unwrap();
    let inside = value.clone();
    let update = move || {
        inside.update(|value| {
            *value = 2;
            inside.set(3); // would wait for itself
        });
    };
    thread::spawn(update).join().unwrap_err();
    assert_eq!(value.get(), 1);
    value.set(4);
    assert_eq!(value.get(), 4);
}

#[test]
fn dies_with_the_lock_of_an_array() {
    let role = "shared_values::dies_with_the_lock_of_an_array";
    let Some(array) = argument::<Array<u8>>(role) else {
        return;
    };
    let _held = array.lock().unwrap();
    say("held");
    await_death();
}

#[test]
fn an_array_says_that_a_holder_died() {
    let array = Array::from_slice(b"brigade").unwrap();
    let mut other = Other::start("shared_values::dies_with_the_lock_of_an_array", &array);
    assert_eq!(other.hear().as_deref(), Some("held"));
    other.kill();
    assert_eq!(
        array.with_lock(Array::to_vec),
        b"brigade",
        "it goes on all the same"
    );
    let held = match array.lock() {
        Err(LockError::OwnerDied(held)) => held,
        answer => panic!("{answer:?}"),
    };
    held.mark_clean();
    assert!(matches!(array.lock(), Err(LockError::HeldByThisThread)));
    drop(held);
    drop(array.lock().unwrap());
}

/// Ranges of all sizes at all places, against a vector.
#[test]
fn ranges_are_what_they_would_be_in_a_vector() {
    let length = 37;
    let array = Array::from_slice(&vec![[0_u8; 3]; length]).unwrap();
    let mut model = vec![[0_u8; 3]; length];
    for begin in 0..=length {
        for end in begin..=length {
            let mark = u8::try_from((begin * 41 + end) % 251).unwrap();
            let written: Vec<_> = (begin..end)
                .map(|n| [mark, 1, n.to_le_bytes()[0]])
                .collect();
            array.write(begin, &written);
            model[begin..end].copy_from_slice(&written);
            let mut read = vec![[0; 3]; end - begin];
            array.read(begin, &mut read);
            assert_eq!(read, written);
        }
    }
    assert_eq!(array.to_vec(), model);
    assert!(Array::<u64>::zeroed(0).unwrap().is_empty());
    assert!(Array::<u64>::zeroed(usize::MAX / 4).is_err());
}

#[test]
#[should_panic(expected = "2 elements from 2 on, of an array that has 3")]
fn there_is_nothing_beyond_an_array() {
    Array::from_slice(&[1, 2, 3]).unwrap().write(2, &[1, 2]);
}

#[test]
fn reads_bytes() {
    let Some((all, sums)) = argument::<(Vec<Bytes>, Array<u64>)>("shared_values::reads_bytes")
    else {
        return;
    };
    for (at, bytes) in all.iter().enumerate() {
        sums.set(at, ends(bytes));
    }
}

/// Length, first and last byte in one number.
fn ends(bytes: &[u8]) -> u64 {
    let [first, last] = [bytes.first(), bytes.last()].map(|byte| byte.map_or(0, |byte| *byte));
    (bytes.len() as u64) << 16 | u64::from(first) << 8 | u64::from(last)
}

#[test]
fn bytes_of_all_sizes_travel() {
    let gigabyte = Bytes::write_with(|out| {
        let mut block = vec![7; 1 << 20];
        for _ in 0..1_023 {
            out.write_all(&block)?;
        }
        block[(1 << 20) - 1] = 8;
        out.write_all(&block)
    });
    let all = [
        Bytes::from_slice(b"").unwrap(),
        Bytes::from_slice(b"x").unwrap(),
        Bytes::from_reader(io::repeat(3).take(100_000)).unwrap(),
        gigabyte.unwrap(),
    ];
    assert_eq!(all[3].len(), 1 << 30);
    let sums = Array::<u64>::zeroed(4).unwrap();
    Other::start("shared_values::reads_bytes", &(&all[..], &sums)).join();
    assert_eq!(sums.to_vec(), all.each_ref().map(|bytes| ends(bytes)));
}

#[test]
fn bytes_cannot_be_written_to_by_anybody() {
    let bytes = Bytes::from_slice(b"fixed").unwrap();
    let text = serde_json::to_string(&bytes).unwrap();
    let (pid, descriptor, ..): (u32, i32, u64, u64) = serde_json::from_str(&text).unwrap();
    let mut file = std::fs::File::options()
        .write(true)
        .open(format!("/proc/{pid}/fd/{descriptor}"))
        .unwrap();
    assert!(file.write_all(b"other").is_err());
    assert!(file.set_len(0).is_err());
    let again: Bytes = serde_json::from_str(&text).unwrap();
    assert!(
        std::ptr::eq(&raw const *again, &raw const *bytes),
        "mapped once"
    );
    assert_eq!(*bytes, *b"fixed");
}

#[test]
fn what_fails_while_bytes_are_written_is_told() {
    let failed = Bytes::write_with(|_| Err(io::Error::other("no more ink")));
    assert_eq!(failed.unwrap_err().to_string(), "no more ink");
}
