import Foundation
import HostSystem
import Testing
import TradingCore

@Suite("The file of the history of halts")
struct HaltHistoryTests {
    private let event = HaltEvent(.halted, .all, reason: "r", by: "b", at: Timestamp(nanoseconds: 1_000_000_000))

    /// The positions to which the file is read, page by page, and the entries.
    private func read(_ history: HaltHistory) throws -> (ends: [Int64], events: [HaltEvent?]) {
        var ends: [Int64] = []
        var events: [HaltEvent?] = []
        while ends.count < 10, let page = try history.read(from: ends.last ?? 0) {
            ends.append(page.end)
            events += page.entries.map(\.event)
        }
        return (ends, events)
    }

    @Test(
        "may hold a line of any length, which is passed over as a whole",
        arguments: [HaltHistoryPage.bytesMax - 1, HaltHistoryPage.bytesMax, HaltHistoryPage.bytesMax + 1, 200_000])
    func overlongLine(length: Int) throws {
        let state = try StateOnDisk()
        let history = HaltHistory(stateDirectory: state.path)
        try history.append(event)
        let file = try #require(FileHandle(forUpdatingAtPath: state.path + "/" + HaltHistory.fileName))
        let before = Int64(try file.seekToEnd())
        try file.write(contentsOf: [UInt8](repeating: UInt8(ascii: "x"), count: length))
        // Its end may be on its way.
        let unfinished = try read(history)
        #expect(unfinished.ends == [before])
        #expect(unfinished.events == [event])

        try history.append(event)
        let whole = try read(history)
        let lineEnd = before + Int64(length) + 1
        #expect(whole.ends.contains(lineEnd))
        #expect(whole.ends == whole.ends.sorted())
        #expect(whole.ends.last == lineEnd + before)
        #expect(whole.events == [event, nil, event])
    }
}
