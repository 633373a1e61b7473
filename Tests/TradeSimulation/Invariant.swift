/// What must hold at every step, whatever goes wrong.
package enum Invariant: String, CaseIterable, Sendable {
    /// A decision's request leaves once at most.
    case onePost = "one_post"
    /// Nothing leaves that the database does not hold as intended, byte for byte.
    case intentFirst = "intent_first"
    /// Requests leave in the order of acceptance: of each strategy, and of all where none is held back.
    case order
    /// What was acknowledged is there for ever, under its number.
    case neverLost = "never_lost"
    /// Every accepted decision comes to an end once the broker can be asked.
    case everyEnd = "every_end"
    /// `seq` and `strategy_seq` have no gaps.
    case gapFree = "gap_free"
    /// What is published is stored already, and stays as it is.
    case storedFirst = "stored_first"
    /// A subscriber that replays what it missed has exactly what the database holds.
    case replay
    /// What is told as failed has no live or filled order.
    case failedIsTrue = "failed_is_true"
    /// What is told as success is filled, and what is told as partial is filled in part, by just so much.
    case fillIsTrue = "fill_is_true"
    /// Nothing is told of a decision after its end, and no fill is taken back.
    case onlyForwards = "only_forwards"
    /// Nothing is sent after its deadline.
    case deadline
    /// Nothing is sent that is halted.
    case halt
    /// Nothing is sent that is against a limit.
    case limit
    /// The worker neither spins nor stops by itself.
    case goesOn = "goes_on"
}

/// An invariant that did not hold.
package struct Violation: Error, CustomStringConvertible, Sendable {
    package let invariant: Invariant
    package let what: String

    package var description: String { "\(invariant.rawValue): \(what)" }
}
