import GRDB
package import StrictJSON

/// Everything on record about one decision.
package struct FullContext: Equatable, Sendable {
    package let decision: DecisionRecord
    /// Nil while it waits, and for ever when it was refused before sending.
    package let execution: ExecutionRecord?
    /// In the order in which they were kept: the request, the answer, and the look-ups that told something.
    package let payloads: [PayloadRecord]
    package let orders: [OrderRecord]
    /// In sequence.
    package let outcomes: [OutcomeRecord]
    /// Where its execution, payloads and orders are; nil where they are here.
    package let archive: ArchiveRecord?

    /// What a payload is to the attempt.
    package enum PayloadRole: String, Sendable {
        case request
        case response
        /// An answer to a later question about the order.
        case lookUp = "look_up"
    }

    package func role(of payload: PayloadRecord) -> PayloadRole {
        switch payload.id {
        case execution?.apiRequestPayloadID: .request
        case execution?.apiResponsePayloadID: .response
        default: .lookUp
        }
    }

    /// One object with everything; each row under its columns' names.
    /// - Parameter restoration: When the database was last restored; nil where it never was, and left out then.
    package func write(to writer: inout JSONWriter, restoration: RestorationRecord? = nil) {
        writer.object { writer in
            writer.key("decision")
            writer.object { decision.writeMembers(to: &$0) }
            writer.key("execution")
            if let execution { writer.object { execution.writeMembers(to: &$0) } } else { writer.null() }
            writer.key("payloads")
            writer.array { writer in
                for payload in payloads {
                    writer.object { writer in
                        writer.member("role", role(of: payload).rawValue)
                        payload.writeMembers(to: &writer)
                    }
                }
            }
            writer.key("orders")
            writer.array { writer in
                for order in orders { writer.object { order.writeMembers(to: &$0) } }
            }
            writer.key("outcomes")
            writer.array { writer in
                for outcome in outcomes { writer.raw(outcome.body.utf8) }
            }
            if let archive {
                writer.key("archive")
                writer.object { archive.writeMembers(to: &$0) }
            }
            if let restoration {
                writer.key("restoration")
                writer.object { restoration.writeMembers(to: &$0) }
            }
        }
    }
}

extension TradeRecords {
    /// Everything about what an id names: an order at the broker (a leg or a replacement too), a client order id, a
    /// decision of one strategy or of several, or an execution. Oldest first; none when nothing is called so.
    package func fullContexts(of id: String) throws -> [FullContext] {
        try read { database in
            try DecisionSearch.decisions(named: id, in: database).map { try FullContext($0, in: database) }
        }
    }
}

extension FullContext {
    fileprivate init(_ decision: DecisionRecord, in database: Database) throws {
        self.decision = decision
        execution = try ExecutionRecord.filter(ExecutionRecord.Columns.tradeDecisionID == decision.id)
            .fetchOne(database)
        let attempt = [execution?.apiRequestPayloadID, execution?.apiResponsePayloadID].compactMap(\.self)
        let lookUps = PayloadRecord.filter(PayloadRecord.Columns.tradeDecisionID == decision.id).filter(
            sql: "method = 'GET'")
        payloads =
            try (PayloadRecord.filter(keys: attempt).fetchAll(database) + lookUps.fetchAll(database))
            .sorted { $0.id < $1.id }
        let placed = OrderRecord.filter(OrderRecord.Columns.alpacaOrderID == execution?.alpacaOrderID)
            .filter(OrderRecord.Columns.tradeDecisionID == decision.id).filter(sql: "placed = 1")
        let related = OrderRecord.filter(OrderRecord.Columns.tradeDecisionID == decision.id).filter(sql: "placed = 0")
        orders = try (placed.fetchAll(database) + related.fetchAll(database)).sorted { $0.id < $1.id }
        archive = try decision.archiveID.flatMap {
            try ArchiveRecord.filter(sql: "id = ?", arguments: [$0]).fetchOne(database)
        }
        outcomes = try OutcomeRecord.story(endingWith: decision.lastOutcomeSeq).fetchAll(database)
    }
}

/// Finds decisions by any of their names, each through an index.
enum DecisionSearch {
    static func decisions(named id: String, in database: Database) throws -> [DecisionRecord] {
        var rows: Set<Int64> = []
        for request in requests(for: id) { rows.formUnion(try request.fetchAll(database)) }
        return try rows.sorted().compactMap {
            try DecisionRecord.filter(DecisionRecord.Columns.id == $0).fetchOne(database)
        }
    }

    /// The requests for the rows of the decisions.
    static func requests(for id: String) -> [SQLRequest<Int64>] {
        var requests: [SQLRequest<Int64>] = [
            "SELECT trade_decision_id FROM alpaca_orders WHERE alpaca_order_id = \(id)",
            "SELECT trade_decision_id FROM trade_executions WHERE execution_id = \(id)",
            // The table's key begins with the strategy, so each strategy is asked in turn.
            """
            WITH RECURSIVE strategies (name) AS (
                SELECT min(strategy_name) FROM trade_decisions
                UNION ALL
                SELECT (SELECT min(strategy_name) FROM trade_decisions WHERE strategy_name > name)
                FROM strategies WHERE name IS NOT NULL
            )
            SELECT d.id FROM strategies CROSS JOIN trade_decisions d ON d.strategy_name = name AND d.decision_id = \(id)
            """,
        ]
        // A client order id is the strategy's name, a colon and the decision's id; no strategy's name holds a colon.
        if let colon = id.firstIndex(of: ":") {
            let (strategy, decision) = (String(id[..<colon]), String(id[id.index(after: colon)...]))
            requests.append(
                "SELECT id FROM trade_decisions WHERE strategy_name = \(strategy) AND decision_id = \(decision)")
        }
        return requests
    }
}
