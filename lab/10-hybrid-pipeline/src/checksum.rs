//! A number that is the same for equal findings.

/// FNV-1a over pieces of bytes; short enough to be an exact number in JSON.
#[derive(Clone, Copy, Debug)]
pub struct Checksum(u64);

impl Default for Checksum {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Checksum {
    /// Adds one piece; where it ends makes a difference.
    pub fn add(&mut self, bytes: &[u8]) {
        let end = (bytes.len() as u64).to_le_bytes();
        for &byte in bytes.iter().chain(&end) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// The number, of 52 bits.
    pub fn finish(self) -> u64 {
        self.0 >> 12
    }
}
