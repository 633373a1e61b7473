/// A fault that no worker has, planted into what surrounds it or into the evidence, to prove that the invariant which it
/// breaks is looked at.
package enum PlantedBug: String, CaseIterable, Sendable {
    /// The HTTP library sends a request again by itself when its answer is lost, as libcurl does unless kept from it.
    case libraryResends = "library_resends"
    /// The row of the intent is gone before the request leaves.
    case intentIsDropped = "intent_is_dropped"
    /// Requests are taken note of in the wrong order.
    case orderIsSwapped = "order_is_swapped"
    /// The disk answers syncs without carrying them out.
    case diskLies = "disk_lies"
    /// Decisions are acknowledged on arrival.
    case acknowledgesEarly = "acknowledges_early"
    /// No question to the broker is ever answered, nor ends.
    case questionsHang = "questions_hang"
    /// One outcome disappears from the database.
    case outcomeDisappears = "outcome_disappears"
    /// One outcome is changed after it was stored.
    case outcomeIsChanged = "outcome_is_changed"
    /// A replay leaves out its first outcome.
    case replayLeavesOut = "replay_leaves_out"
    /// Look-ups by client order id say that there is no such order, whether there is or not.
    case lookUpsFindNothing = "look_ups_find_nothing"
    /// Answers about orders show ten times what is filled.
    case fillsAreTenfold = "fills_are_tenfold"
    /// One outcome is told a second time under a number of its own.
    case endIsToldTwice = "end_is_told_twice"
    /// The worker's monotonic clock runs at a quarter of its speed.
    case clockRunsSlow = "clock_runs_slow"
    /// The worker's kill switch is not connected.
    case haltsAreNotSeen = "halts_are_not_seen"
    /// The worker's limits are not those in force.
    case limitsAreNotSeen = "limits_are_not_seen"
    /// The worker is told of one message again and again.
    case messageNeverEnds = "message_never_ends"

    /// The invariant that breaks.
    package var breaks: Set<Invariant> {
        switch self {
        case .libraryResends: [.onePost]
        case .intentIsDropped: [.intentFirst]
        case .orderIsSwapped: [.order]
        case .diskLies: [.neverLost, .intentFirst, .storedFirst, .goesOn]
        case .acknowledgesEarly: [.neverLost]
        case .questionsHang: [.everyEnd]
        case .outcomeDisappears: [.gapFree]
        case .outcomeIsChanged: [.storedFirst]
        case .replayLeavesOut: [.replay]
        case .lookUpsFindNothing: [.failedIsTrue]
        case .fillsAreTenfold: [.fillIsTrue]
        case .endIsToldTwice: [.onlyForwards]
        case .clockRunsSlow: [.deadline]
        case .haltsAreNotSeen: [.halt]
        case .limitsAreNotSeen: [.limit]
        case .messageNeverEnds: [.goesOn]
        }
    }

    /// SQL that plants it into the database.
    var trigger: String? {
        switch self {
        case .intentIsDropped:
            """
            CREATE TRIGGER planted AFTER UPDATE OF status ON trade_decisions
            WHEN NEW.status = 'executing' AND NEW.id = 3
            BEGIN DELETE FROM trade_executions WHERE trade_decision_id = NEW.id; END
            """
        case .outcomeDisappears:
            """
            CREATE TRIGGER planted AFTER INSERT ON outcomes WHEN NEW.seq = 8
            BEGIN DELETE FROM outcomes WHERE seq = 5; END
            """
        case .outcomeIsChanged:
            """
            CREATE TRIGGER planted AFTER INSERT ON outcomes WHEN NEW.seq = 8
            BEGIN UPDATE outcomes SET body = replace(body, '"seq":5', '"seq": 5') WHERE seq = 5; END
            """
        default: nil
        }
    }
}
