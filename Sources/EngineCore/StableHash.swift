/// A 64-bit hash that is the same in every process, on every machine and in every version: what replicas derive from it they agree
/// on. It has no key, so whoever knows it can choose input that meets: never for tables that an attacker can fill.
public enum StableHash {
    /// Bits of π, so that nothing about it was chosen.
    private static let start: UInt64 = 0x243f_6a88_85a3_08d3

    /// Of bytes; `seed` makes independent hashes of the same bytes.
    public static func hash(_ bytes: some Collection<UInt8>, seed: UInt64 = 0) -> UInt64 {
        var state = mix(start ^ seed)
        var (word, shift) = (UInt64(0), UInt64(0))
        for byte in bytes {
            word |= UInt64(byte) << shift
            shift += 8
            if shift == 64 {
                state = combine(state, word)
                (word, shift) = (0, 0)
            }
        }
        // The length tells apart what differs in zeros at the end.
        return combine(combine(state, word), UInt64(bytes.count))
    }

    /// Of two words.
    public static func hash(_ first: UInt64, _ second: UInt64, seed: UInt64 = 0) -> UInt64 {
        combine(combine(mix(start ^ seed), first), second)
    }

    private static func combine(_ state: UInt64, _ word: UInt64) -> UInt64 {
        mix((state ^ word) &+ 0x9e37_79b9_7f4a_7c15)
    }

    /// Every bit of the input changes each bit of the output in about half of all cases (Stafford's thirteenth mix).
    private static func mix(_ word: UInt64) -> UInt64 {
        var mixed = word
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

extension SourceKey {
    /// The same for this source on every replica.
    public var stableHash: UInt64 { StableHash.hash(high, low) }
}
