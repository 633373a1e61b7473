import Testing
import WorkerClient

@Suite("A subscriber that counts")
struct GapDetectionTests {
    @Test("takes what comes next and drops what it has seen")
    func inOrder() {
        var detection = GapDetection(last: 3)
        #expect(detection.sees(4) == .take)
        #expect(detection.sees(4) == .drop)
        #expect(detection.sees(2) == .drop)
        #expect(detection.sees(5) == .take)
        #expect(detection.last == 5)
    }

    @Test("asks for what it missed, from after the last it saw")
    func gap() {
        var detection = GapDetection(last: 3)
        #expect(detection.sees(6) == .replay(after: 3))
        #expect(detection.last == 3)
    }

    @Test("learns from a heartbeat that the last outcome before a silence was lost")
    func heartbeat() {
        let detection = GapDetection(last: 3)
        #expect(detection.hears(3) == .drop)
        #expect(detection.hears(4) == .replay(after: 3))
    }
}
