//! Every identifier the sandbox makes up, drawn from the world's seed and counter alone.
//!
//! Two runs from the same world file therefore give the same ids. Nothing here may ask the clock or the machine for randomness.

/// Splitmix64's finalizer: neighbours in, strangers out.
pub(super) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number for a few texts; each part is closed off, so that ("ab", "c") and ("a", "bc") differ.
pub(super) fn digest(seed: u64, parts: &[&str]) -> u64 {
    parts.iter().fold(mix(seed), |sum, part| {
        let inner = part.bytes().fold(sum, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
        mix(inner)
    })
}

/// The sequence of a world's ids.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    pub(super) seed: u64,
    pub(super) counter: u64,
    // Request ids of calls have their own sequence: reads must not move the ids of what later writes make, and must not make the
    // world differ from its file.
    calls: u64,
}

impl Ids {
    pub(super) fn new(seed: u64, counter: u64) -> Self {
        let calls = mix(digest(seed, &["calls"]) ^ counter);
        Self { seed, counter, calls }
    }

    /// Goes on with the calls of `other`.
    pub(super) fn follow(&mut self, other: &Self) {
        self.calls = other.calls;
    }

    fn next(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(1);
        mix(mix(self.seed) ^ self.counter)
    }

    /// Sixteen lower-case hexadecimal digits.
    pub(super) fn hex(&mut self) -> String {
        format!("{:016x}", self.next())
    }

    /// Twelve digits, the first no zero.
    pub(super) fn account(&mut self) -> String {
        (100_000_000_000 + self.next() % 900_000_000_000).to_string()
    }

    /// A request id of a job.
    pub(super) fn request(&mut self) -> String {
        uuid(self.next(), '4')
    }

    /// An id of a user, a group or a membership, in the newer of the two forms that stores hold: a UUID whose third group starts
    /// with 7.
    pub(super) fn principal(&mut self) -> String {
        uuid(self.next(), '7')
    }

    /// A word that nobody guesses who does not know the seed: good enough for a sandbox, and no secret.
    pub(super) fn word(&mut self, now: f64) -> String {
        self.calls = self.calls.wrapping_add(1);
        let first = mix(mix(self.seed) ^ mix(self.calls) ^ now.to_bits());
        format!("{first:016x}{:016x}", mix(first ^ self.seed))
    }

    /// The request id of the next call.
    pub(super) fn call(&mut self) -> String {
        self.calls = self.calls.wrapping_add(1);
        uuid(mix(self.calls), '4')
    }
}

/// The id of something that a world file leaves unnamed: sixteen hexadecimal digits from what it is.
pub(super) fn derived_hex(seed: u64, parts: &[&str]) -> String {
    format!("{:016x}", digest(seed, parts))
}

/// The same in the form of a principal's id.
pub(super) fn derived_principal(seed: u64, parts: &[&str]) -> String {
    uuid(digest(seed, parts), '7')
}

fn uuid(first: u64, kind: char) -> String {
    let second = mix(first);
    let (a, b, c) = (first >> 32, (first >> 16) & 0xFFFF, first & 0x0FFF);
    let (d, e) = (0x8000 | ((second >> 48) & 0x3FFF), second & 0xFFFF_FFFF_FFFF);
    format!("{a:08x}-{b:04x}-{kind}{c:03x}-{d:04x}-{e:012x}")
}
