import Testing

@testable import SimulatedDisk

/// Sources of the tests' own: those in use serve every test of the program, and must stay as they are.
@Suite("What SQLite makes up itself")
struct RepeatableSourcesTests {
    private static func bytes(of sources: RepeatableSources, count: Int = 44) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let hasAny = bytes.withUnsafeMutableBytes { sources.fillWithRandomBytes($0) }
        return hasAny ? bytes : nil
    }

    @Test("is not repeated unless that is asked for")
    func ordinary() {
        let sources = RepeatableSources()
        #expect(RepeatableSourcesTests.bytes(of: sources) == nil)
        #expect(sources.julianTime == nil)
    }

    @Test("is the same for the same seed, and begins anew with it")
    func repeats() {
        let sources = RepeatableSources()
        sources.set(seed: 1, time: 0)
        let first = RepeatableSourcesTests.bytes(of: sources)
        #expect(first != nil)
        #expect(RepeatableSourcesTests.bytes(of: sources) != first)
        sources.set(seed: 1, time: 0)
        #expect(RepeatableSourcesTests.bytes(of: sources) == first)
        sources.set(seed: 2, time: 0)
        #expect(RepeatableSourcesTests.bytes(of: sources) != first)
    }

    @Test("happens at the moment given, counted from the Julian day 0")
    func time() {
        let sources = RepeatableSources()
        // 1970 began half way through the Julian day 2440587.
        sources.set(seed: 1, time: 0)
        let expected: Int64 = 2_440_587 * 86_400_000 + 43_200_000
        #expect(sources.julianTime == expected)
    }
}
