/// What reads bytes from outside, by the name of its corpus. Each is fed any bytes at all, and what it makes of them is
/// held against what must be true of it.
package enum FuzzedReader: String, CaseIterable, Sendable {
    case json
    case exactDecimal = "exact-decimal"
    case timestamp
    case decisionFrame = "decision-frame"
    case orderAnswer = "order-answer"
    case attemptAnswer = "attempt-answer"
    case execution
    case configurationFile = "configuration-file"
    case haltFile = "halt-file"
    case limitsFile = "limits-file"
    case partitionMap = "partition-map"
    case moveRequest = "move-request"
    case keyList = "key-list"
    case keyFile = "key-file"

    /// Throws where the reader makes something of the bytes that must not be. A reader that traps, traps.
    package func check(_ bytes: [UInt8]) throws {
        switch self {
        case .json: try checkJSON(bytes)
        case .exactDecimal: try checkExactDecimal(bytes)
        case .timestamp: try checkTimestamp(bytes)
        case .decisionFrame: try checkDecisionFrame(bytes)
        case .orderAnswer: try checkOrderAnswer(bytes)
        case .attemptAnswer: try checkAttemptAnswer(bytes)
        case .execution: try checkExecution(bytes)
        case .configurationFile: try checkConfigurationFile(bytes)
        case .haltFile: try checkHaltFile(bytes)
        case .limitsFile: try checkLimitsFile(bytes)
        case .partitionMap: try checkPartitionMap(bytes)
        case .moveRequest: try checkMoveRequest(bytes)
        case .keyList: try checkKeyList(bytes)
        case .keyFile: try checkKeyFile(bytes)
        }
    }
}

/// Something that must be true and is not.
package struct BrokenProperty: Error, CustomStringConvertible {
    package let description: String
}

/// Throws `BrokenProperty` unless `holds`; `property` says what must be true.
func expect(_ holds: Bool, _ property: @autoclosure () -> String) throws(BrokenProperty) {
    guard holds else { throw BrokenProperty(description: property()) }
}
