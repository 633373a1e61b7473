import GRDB
import TradingCore

/// A named set of executions, as the original design names them.
package enum ExecutionScope: String, CaseIterable, Sendable {
    /// All filled.
    case successful
    /// Rejected.
    case failed
    /// Submitted or accepted.
    case pending
    /// The request may have reached the broker and no readable answer came.
    case unknown
    /// Of the last 24 hours.
    case recent
}

extension DerivableRequest<ExecutionRecord> {
    func successful() -> Self { with(.filled) }

    func failed() -> Self { with(.rejected) }

    /// Word for word as the index of these says it, since that is how SQLite knows that the index will do. The same holds
    /// below.
    func pending() -> Self {
        filter(sql: "(trade_executions.status = 'submitted' OR trade_executions.status = 'accepted')")
    }

    func unknown() -> Self {
        filter(sql: "certainty = 'unknown'")
    }

    func recent(at now: Timestamp) -> Self { since(now.advanced(bySeconds: -86_400)) }

    func scope(_ scope: ExecutionScope, at now: Timestamp) -> Self {
        switch scope {
        case .successful: successful()
        case .failed: failed()
        case .pending: pending()
        case .unknown: unknown()
        case .recent: recent(at: now)
        }
    }

    func with(_ status: ExecutionStatus) -> Self {
        let exactly = filter(ExecutionRecord.Columns.status == status.rawValue)
        return switch status {
        case .filled: exactly
        case .submitted, .accepted: exactly.pending()
        case .rejected, .cancelled, .partialFill:
            exactly.filter(
                sql: "(trade_executions.status = 'rejected' OR trade_executions.status = 'cancelled' "
                    + "OR trade_executions.status = 'partial_fill')")
        }
    }

    /// Begun at a moment or after it.
    func since(_ moment: Timestamp) -> Self {
        filter(ExecutionRecord.Columns.createdAt >= moment.text)
    }
}
