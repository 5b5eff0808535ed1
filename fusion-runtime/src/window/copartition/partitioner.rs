//! Whether records lie where their keys belong: a source that is partitioned in another way would give each member a part
//! of a key's records, and every window a part of its result.

/// The partitioners that programs use, of which all sources must follow one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Partitioner {
    /// Kafka's own clients, and ours.
    Murmur2,
    /// librdkafka's default, and with it that of most other languages.
    Crc32,
}

/// Looks at some records, and says when they follow no partitioner that all followed so far.
#[derive(Debug)]
pub(super) struct Sampler {
    partitions: u32,
    followed: Vec<Partitioner>,
    seen: u32,
}

/// So many are looked at from the start, and then one in so many.
const FIRST: u32 = 256;
const THEN: u32 = 64;

impl Sampler {
    pub(super) fn new(partitions: i32) -> Self {
        let partitions = u32::try_from(partitions).unwrap_or(1).max(1);
        Sampler { partitions, followed: vec![Partitioner::Murmur2, Partitioner::Crc32], seen: 0 }
    }

    /// `false`: a record of this key does not belong here.
    pub(super) fn is_here(&mut self, key: &[u8], partition: i32) -> bool {
        self.seen = self.seen.wrapping_add(1);
        if self.seen > FIRST && !self.seen.is_multiple_of(THEN) {
            return true;
        }
        let partitions = self.partitions;
        self.followed
            .retain(|partitioner| partitioner.partition(key, partitions) == partition.cast_unsigned());
        !self.followed.is_empty()
    }
}

impl Partitioner {
    fn partition(self, key: &[u8], partitions: u32) -> u32 {
        match self {
            Partitioner::Murmur2 => (murmur2(key) & 0x7fff_ffff) % partitions,
            Partitioner::Crc32 => crc32(key) % partitions,
        }
    }
}

/// MurmurHash2 with the seed of Kafka's clients.
fn murmur2(key: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c_u32 ^ key.len() as u32;
    let (words, rest) = key.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0, |tail, byte| tail << 8 | u32::from(*byte));
        hash = (hash ^ tail).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

/// CRC-32 as in zip files.
fn crc32(key: &[u8]) -> u32 {
    let step =
        |sum: u32, byte: &u8| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
                if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 }
            })
        };
    !key.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur2_is_that_of_kafkas_clients() {
        // From `UtilsTest.testMurmur2` of Kafka's clients.
        let cases: [(&[u8], i32); 6] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            (b"abc", 479_470_107),
        ];
        for (key, hash) in cases {
            assert_eq!(murmur2(key).cast_signed(), hash, "{}", String::from_utf8_lossy(key));
        }
    }

    #[test]
    fn crc32_is_that_of_zip_files() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn either_partitioner_is_followed_and_a_mixture_is_not() {
        for partitioner in [Partitioner::Murmur2, Partitioner::Crc32] {
            let mut sampler = Sampler::new(8);
            let here = |key: &str| partitioner.partition(key.as_bytes(), 8).cast_signed();
            assert!((0..1_000).all(|n| {
                let key = format!("key-{n}");
                sampler.is_here(key.as_bytes(), here(&key))
            }));
            // The other one puts most keys elsewhere.
            let other = match partitioner {
                Partitioner::Murmur2 => Partitioner::Crc32,
                Partitioner::Crc32 => Partitioner::Murmur2,
            };
            assert!(!(0..1_000).all(|n| {
                let key = format!("key-{n}");
                sampler.is_here(key.as_bytes(), other.partition(key.as_bytes(), 8).cast_signed())
            }));
        }
    }
}
