/// Why a message is not taken. Nothing of it reaches the broker, now or later.
package struct Refusal: Error, Equatable, Sendable {
    package var code: RefusalCode
    /// The field to blame, for `bad_field`.
    package var field: String?
    /// What is wrong and what to do, for the author of the strategy.
    package var message: String
    /// The counter that would be taken, for `out_of_order`.
    package var expected: Int64?
    /// The intake of the partition that serves the strategy, for `wrong_partition`.
    package var endpoint: String?
    /// Whether the same bytes may be taken later, so that sending them again makes sense.
    package var retry: Bool

    package init(
        _ code: RefusalCode, field: String? = nil, _ message: String, expected: Int64? = nil,
        endpoint: String? = nil, retry: Bool = false
    ) {
        // Both may quote what a stranger wrote, up to a whole body of it.
        self.code = code
        self.field = field?.clipped(to: 100)
        self.message = message.clipped(to: 300)
        self.expected = expected
        self.endpoint = endpoint
        self.retry = retry
    }

    static func badField(_ field: String, _ message: String) -> Refusal {
        Refusal(.badField, field: field, message)
    }
}

extension String {
    /// The first `count` Unicode scalars, with an ellipsis where more follow.
    fileprivate func clipped(to count: Int) -> String {
        guard unicodeScalars.count > count else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.prefix(count))) + "…"
    }
}

/// The stable words for refusals, as authors' programs compare them.
package enum RefusalCode: String, CaseIterable, Sendable {
    case badJSON = "bad_json"
    case badField = "bad_field"
    case unsupportedVersion = "unsupported_version"
    case tooLarge = "too_large"
    case notAuthorised = "not_authorised"
    case idConflict = "id_conflict"
    case outOfOrder = "out_of_order"
    case queueFull = "queue_full"
    case draining
    case wrongPartition = "wrong_partition"
    case halted
    /// The worker cannot write to its disk. The contract has no word for it; see the interface documentation.
    case storageFailed = "storage_failed"
}
