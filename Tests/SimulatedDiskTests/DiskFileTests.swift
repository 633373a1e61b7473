import Testing

@testable import SimulatedDisk

@Suite("A file of a simulated disk")
struct DiskFileTests {
    private static func write(_ byte: UInt8, count: Int = 512, at offset: Int, to file: DiskFile) {
        let bytes = [UInt8](repeating: byte, count: count)
        bytes.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { file.write(start, count: count, at: offset) }
        }
    }

    /// Two thousand bytes that last, and then writes over them, past their end, a cut and a write after it.
    private static func written() -> DiskFile {
        let file = DiskFile(durable: [UInt8](repeating: 1, count: 2000))
        write(2, count: 1000, at: 500, to: file)
        write(3, count: 1500, at: 1800, to: file)
        file.resize(to: 2500)
        write(4, at: 4000, to: file)
        return file
    }

    @Test("reads what was written, and zeros where nothing was")
    func reads() {
        let file = DiskFileTests.written()
        let expected: [(UInt8, Int)] = [(1, 500), (2, 1000), (1, 300), (3, 700), (0, 1500), (4, 512)]
        #expect(file.bytes == expected.flatMap { [UInt8](repeating: $0.0, count: $0.1) })
    }

    @Test("is lost in the same way when the seed is the same, and otherwise in another")
    func repeats() {
        let results = (0..<UInt64(50)).map { seed in
            let twice = (0..<2).map { _ in
                let file = DiskFileTests.written()
                var random = SeededRandom(seed: seed)
                file.losePower(using: &random)
                return file.bytes
            }
            #expect(twice[0] == twice[1])
            return twice[0]
        }
        #expect(Set(results).count > 10)
        #expect(results.contains { $0.count == 2000 && $0.allSatisfy { $0 == 1 } }, "sometimes nothing was written")
        #expect(results.contains(DiskFileTests.written().bytes), "sometimes everything was")
    }

    @Test("keeps what was synced")
    func synced() {
        for seed in 0..<UInt64(50) {
            let file = DiskFileTests.written()
            file.sync()
            let expected = file.bytes
            DiskFileTests.write(9, at: 0, to: file)
            var random = SeededRandom(seed: seed)
            file.losePower(using: &random)
            #expect(file.bytes[512...] == expected[512...])
        }
    }

    @Test("is torn only where a sector ends")
    func torn() {
        var tornCount = 0
        for seed in 0..<UInt64(200) {
            let file = DiskFile(durable: [UInt8](repeating: 1, count: 8192))
            DiskFileTests.write(2, count: 4096, at: 100, to: file)
            var random = SeededRandom(seed: seed)
            file.losePower(using: &random)
            let bytes = file.bytes
            for start in stride(from: 0, to: 4196, by: 512) {
                #expect(Set(bytes[max(start, 100)..<min(start + 512, 4196)]).count == 1)
            }
            #expect(bytes[..<100].allSatisfy { $0 == 1 } && bytes[4196...].allSatisfy { $0 == 1 })
            if Set(bytes[100..<4196]).count == 2 { tornCount += 1 }
        }
        #expect(tornCount > 5)
    }

    @Test("does not get to the disk with a later sync what a failed one left out, unless it is written again")
    func failedSync() {
        var lostCount = 0
        for seed in 0..<UInt64(50) {
            let file = DiskFile(durable: [UInt8](repeating: 1, count: 8192))
            DiskFileTests.write(2, at: 0, to: file)
            DiskFileTests.write(2, at: 4096, to: file)
            var random = SeededRandom(seed: seed)
            file.failSync(using: &random)
            #expect(file.bytes[0] == 2 && file.bytes[4096] == 2, "who reads sees no difference")
            DiskFileTests.write(3, at: 4096 + 512, to: file)
            file.sync()
            file.losePower(using: &random)
            if file.bytes[0] == 1 { lostCount += 1 }
            #expect(file.bytes[4096] == 2 && file.bytes[4096 + 512] == 3)
        }
        #expect((5...45).contains(lostCount))
    }
}
