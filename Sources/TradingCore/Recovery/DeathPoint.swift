/// The points in a decision's life at which the worker's process can die with a difference: what is on disk, or what may
/// have happened at the broker, changes from one to the next. Together with `RestartVerdict` this is the table of
/// recovery; `deploy/contract/recovery.md` shows it, and the tests kill a real worker at each of them.
package enum DeathPoint: String, CaseIterable, Sendable {
    /// The message, or an answer of the broker, was taken in; nothing of it is stored.
    case received
    /// The acceptance is written, and not committed.
    case acceptanceWritten = "acceptance_written"
    /// The acceptance is durable, and not acknowledged.
    case acceptanceCommitted = "acceptance_committed"
    /// The acknowledgement was handed to ZeroMQ.
    case acknowledged
    /// The refusal of a waiting decision, expired, halted or against a limit, is written and not committed.
    case refusalWritten = "refusal_written"
    /// That refusal is durable, and not published.
    case refusalCommitted = "refusal_committed"
    /// The intent to send is written, and not committed.
    case intentWritten = "intent_written"
    /// The intent is durable, and nothing was handed to the network.
    case intentCommitted = "intent_committed"
    /// Some bytes of the request have reached the broker.
    case requestPartlySent = "request_partly_sent"
    /// The request was handed to the network.
    case requestSent = "request_sent"
    /// Some bytes of the answer have come.
    case answerPartlyRead = "answer_partly_read"
    /// The whole answer has come, or it is known that none will; nothing of it is stored.
    case answerReceived = "answer_received"
    /// What the attempt came to is written, and not committed.
    case answerWritten = "answer_written"
    /// What the attempt came to is durable, and not published.
    case answerCommitted = "answer_committed"
    /// An outcome was handed to ZeroMQ.
    case outcomePublished = "outcome_published"
    /// A question about an order was handed to the network.
    case lookUpSent = "look_up_sent"
    /// The answer to a question has come; nothing of it is stored.
    case lookUpReceived = "look_up_received"
    /// What a question showed is written, and not committed.
    case lookUpWritten = "look_up_written"
    /// What a question showed is durable, and not published.
    case lookUpCommitted = "look_up_committed"

    /// What may have happened at the broker.
    package enum AtBroker: String, Sendable {
        /// The request has not left.
        case nothing = "nothing"
        /// The request may have been carried out, and may still be.
        case perhapsAnOrder = "perhaps an order"
        /// The broker has answered, as the database says.
        case asStored = "as stored, or further on"
    }

    /// What the database then holds of the decision; more than one where it depends on the broker's answer.
    package var onDisk: [StoredState] {
        switch self {
        case .received, .acceptanceWritten: [.nothing]
        case .acceptanceCommitted, .acknowledged, .refusalWritten, .intentWritten: [.waiting]
        case .refusalCommitted: [.refused]
        case .intentCommitted, .requestPartlySent, .requestSent, .answerPartlyRead, .answerReceived, .answerWritten:
            [.sending]
        case .answerCommitted: [.followed, .unknown, .executed, .failed, .notSent]
        case .outcomePublished: [.followed, .unknown, .executed, .failed, .notSent, .refused]
        case .lookUpSent, .lookUpReceived, .lookUpWritten, .lookUpCommitted:
            [.followed, .unknown, .executed, .failed]
        }
    }

    package var atBroker: AtBroker {
        switch self {
        case .received, .acceptanceWritten, .acceptanceCommitted, .acknowledged, .refusalWritten, .refusalCommitted,
            .intentWritten, .intentCommitted:
            .nothing
        case .requestPartlySent, .requestSent, .answerPartlyRead, .answerReceived, .answerWritten: .perhapsAnOrder
        case .answerCommitted, .outcomePublished, .lookUpSent, .lookUpReceived, .lookUpWritten, .lookUpCommitted:
            .asStored
        }
    }

    /// Whether it lies inside a transfer, where only what is outside the process can tell that it has come.
    package var isInsideTransfer: Bool {
        switch self {
        case .requestPartlySent, .answerPartlyRead: true
        default: false
        }
    }
}
