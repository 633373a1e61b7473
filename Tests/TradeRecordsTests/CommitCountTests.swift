import TestKit
import Testing
import TradeJournal

@Suite("What waits in the log to be copied back")
struct CommitCountTests {
    @Test("is counted by commits that changed something, until it is copied")
    func counted() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/trades.db"
        let history = try TradeHistory(path: path, start: "2026-11-22T14:00:00Z")
        let journal = history.journal
        let before = journal.commitsInLog
        // As a worker does each time it looks through decisions that must all wait.
        for _ in 0..<100 { try journal.write { (_) throws(JournalFault) in } }
        #expect(journal.commitsInLog == before)
        try history.accept("d-1")
        try history.accept("d-2")
        #expect(journal.commitsInLog == before + 2)
        try journal.checkpoint()
        #expect(journal.commitsInLog == 0)
    }
}
