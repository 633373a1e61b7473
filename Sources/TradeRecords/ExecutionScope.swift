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

    func pending() -> Self {
        let words = [ExecutionStatus.submitted, .accepted].map(\.rawValue)
        return filter(words.contains(ExecutionRecord.Columns.status))
    }

    /// Says "sending or unknown" too, word for word, since that is how SQLite knows that the index of these will do.
    func unknown() -> Self {
        filter(sql: "certainty IN ('sending', 'unknown')")
            .filter(ExecutionRecord.Columns.certainty == Certainty.unknown.rawValue)
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
        filter(ExecutionRecord.Columns.status == status.rawValue)
    }

    /// Begun at a moment or after it.
    func since(_ moment: Timestamp) -> Self {
        filter(ExecutionRecord.Columns.createdAt >= moment.text)
    }
}
