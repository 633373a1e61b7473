import GRDB
import TestKit
import Testing
import TradingCore

@testable import TradeJournal
@testable import TradeRecords

/// SQLite has no statistics here, so its plans depend on the schema and the query alone, and an almost empty database
/// shows those of a full one.
@Suite("A query over millions of executions")
struct QueryPlanTests {
    private func plan(_ request: (Database) throws -> some FetchRequest) throws -> [String] {
        let trades = try RecordedTrades()
        return try trades.records().read { database in
            let statement = try request(database).makePreparedRequest(database, forSingleResult: false).statement
            return try Row.fetchAll(
                database, sql: "EXPLAIN QUERY PLAN \(statement.sql)", arguments: statement.arguments
            ).map { $0["detail"] }
        }
    }

    private static let few: [ExecutionFilter] = [
        ExecutionFilter(scope: .pending), ExecutionFilter(scope: .unknown),
        ExecutionFilter(scope: .pending, symbol: "AAPL"), ExecutionFilter(scope: .unknown, strategy: "s"),
        ExecutionFilter(status: .submitted, symbol: "AAPL"),
    ]
    private static let many: [ExecutionFilter] = [
        ExecutionFilter(), ExecutionFilter(scope: .successful), ExecutionFilter(scope: .failed),
        ExecutionFilter(scope: .recent), ExecutionFilter(scope: .recent, symbol: "AAPL"),
        ExecutionFilter(symbol: "AAPL"), ExecutionFilter(strategy: "s"),
        ExecutionFilter(scope: .successful, symbol: "AAPL", includesPayloads: true),
        ExecutionFilter(symbol: "AAPL", strategy: "s"),
        ExecutionFilter(status: .filled, since: Timestamp(nanoseconds: 0)),
        ExecutionFilter(scope: .failed, strategy: "s", since: Timestamp(nanoseconds: 0)),
    ]

    @Test("for the newest ones finds them in the order of an index, and sorts nothing", arguments: many)
    func listing(_ filter: ExecutionFilter) throws {
        let plan = try plan { _ in filter.request(count: 50, at: Timestamp(nanoseconds: 0)) }
        #expect(plan.allSatisfy { $0.contains("USING INDEX") || $0.contains("USING INTEGER PRIMARY KEY") }, "\(plan)")
        #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan)")
    }

    @Test("for where the strategies stand looks at what is open, and steps through the rest")
    func strategies() throws {
        let plan = try plan { _ in SQLRequest<Row>(sql: TradeRecords.strategiesQuery) }
        let walks = plan.filter { $0.hasPrefix("SCAN outcomes") || $0.hasPrefix("SCAN trade_decisions") }
        #expect(walks.allSatisfy { $0.contains("trade_decisions_open") }, "\(plan)")
        #expect(!plan.contains { $0.hasPrefix("SCAN trade_executions") && !$0.contains("trade_executions_open") })
    }

    @Test("goes on after a page by the same index", arguments: [ExecutionFilter(), ExecutionFilter(symbol: "AAPL")])
    func nextPage(_ filter: ExecutionFilter) throws {
        let trades = try RecordedTrades()
        try trades.history.execute("d-1")
        let now = Timestamp(nanoseconds: 0)
        let plan = try trades.records().read { database in
            let last = try #require(try ExecutionFilter().request(at: now).fetchOne(database))
            let statement = try filter.request(after: last, count: 50, at: now).makePreparedRequest(
                database, forSingleResult: false
            ).statement
            return try Row.fetchAll(
                database, sql: "EXPLAIN QUERY PLAN \(statement.sql)", arguments: statement.arguments
            ).map { $0["detail"] as String }
        }
        #expect(plan.first?.hasPrefix("SEARCH") == true, "\(plan)")
        #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan)")
    }

    @Test("for the few that are on their way begins with the index of those", arguments: few)
    func begins(_ filter: ExecutionFilter) throws {
        let plan = try plan { _ in filter.request(count: 50, at: Timestamp(nanoseconds: 0)) }
        let first = try #require(plan.first)
        #expect(first.contains("trade_executions_open"), "\(first)")
    }

    @Test("that counts failures walks the index of failures only", arguments: FailureSubject.allCases)
    func tally(_ subject: FailureSubject) throws {
        for since in [nil, Timestamp(nanoseconds: 0)] {
            let rejected = try plan { _ in FailureTally.rejected(by: subject, since: since) }
            #expect(rejected.first?.contains("trade_executions_failures") == true, "\(rejected)")
            let refused = try plan { _ in FailureTally.refused(by: subject, since: since) }
            #expect(refused.first?.contains("trade_decisions_failed") == true, "\(refused)")
        }
    }

    @Test("for what was sent lately walks the newest of an index, and sorts nothing")
    func begunLately() throws {
        let plan = try plan { _ in SQLRequest<Row>(sql: BegunExecutions.sql, arguments: ["2026-11-22"]) }
        #expect(plan.first?.contains("USING INDEX trade_executions_created (created_at>?)") == true, "\(plan)")
        #expect(plan.dropFirst().allSatisfy { $0.contains("USING INTEGER PRIMARY KEY") }, "\(plan)")
    }

    @Test("for what is unsettled walks the newest outcomes, and the index of those on their way")
    func unsettled() throws {
        let plan = try plan { _ in SQLRequest<Row>(sql: UnsettledExecutions.sql, arguments: ["2026-11-22"]) }
        #expect(plan.contains { $0.contains("SEARCH o USING INTEGER PRIMARY KEY (rowid>?)") }, "\(plan)")
        #expect(plan.contains { $0.contains("trade_executions_open") }, "\(plan)")
        #expect(!plan.contains { $0.hasPrefix("SCAN d") || $0 == "SCAN e" }, "\(plan)")
    }

    @Test("for any id goes by a unique index", arguments: DecisionSearch.requests(for: "a:b").indices)
    func ids(_ index: Int) throws {
        let plan = try plan { _ in DecisionSearch.requests(for: "a:b")[index] }
        #expect(!plan.contains { $0.hasPrefix("SCAN trade_decisions") || $0.hasPrefix("SCAN d") }, "\(plan)")
        #expect(plan.contains { $0.contains("_id=?)") }, "\(plan)")
    }
}
