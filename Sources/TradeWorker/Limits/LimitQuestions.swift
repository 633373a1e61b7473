import AlpacaAPI
import OrderResolution
import TradeJournal
import TradingCore

/// What the broker is asked for the sake of limits, one question at a time, always for the decision at the front.
struct LimitQuestions {
    /// What is asked, and for which decision.
    enum Subject: Equatable {
        case marketHours(DecisionRow)
        case position(DecisionRow, Symbol)
    }

    private struct Wanted {
        let subject: Subject
        var due: MonotonicTime
        var timesUnanswered: Int64 = 0
    }

    private enum Word {
        case position(HeldPosition?)
        case unavailable
    }

    private let line: any OrderLookUps
    private var wanted: Wanted?
    /// The question under way; perhaps of a decision that waits no longer.
    private var asked: (subject: Subject, at: MonotonicTime)?
    /// What the broker has said last, to the decision that asked.
    private var word: (subject: Subject, word: Word, at: MonotonicTime)?
    private var marketHours: MarketHours?
    /// When an order was last sent: what was asked about positions before is of no use any more.
    private var positionsChangedAt: MonotonicTime?

    /// How often the broker is asked the same.
    private static let timesMax: Int64 = 3
    /// What is held changes: an answer older than this is asked for again.
    private static let positionHolds = Microseconds.seconds(1)

    init(_ line: any OrderLookUps) {
        self.line = line
    }

    // MARK: What the broker says

    func marketHours(for row: DecisionRow, at now: MonotonicTime) -> BrokerWord<MarketHours> {
        if let marketHours, marketHours.hold(at: now) { return .said(marketHours) }
        return word?.subject == .marketHours(row) ? .unavailable : .notAsked
    }

    func position(for row: DecisionRow, _ symbol: Symbol, at now: MonotonicTime) -> BrokerWord<HeldPosition?> {
        guard let word, word.subject == .position(row, symbol) else { return .notAsked }
        switch word.word {
        case .position(let held): return now - word.at < LimitQuestions.positionHolds ? .said(held) : .notAsked
        case .unavailable: return .unavailable
        }
    }

    /// An order is about to change what is held.
    mutating func positionsChange(at now: MonotonicTime) {
        word = nil
        positionsChangedAt = now
    }

    // MARK: Asking

    /// A decision waits for the answer.
    mutating func want(_ subject: Subject, at now: MonotonicTime) {
        if wanted?.subject != subject { wanted = Wanted(subject: subject, due: now) }
    }

    /// When the next question is due; nil while one is under way, or when there is none.
    var due: MonotonicTime? { asked == nil ? wanted?.due : nil }

    mutating func ask(at now: MonotonicTime) throws(EdgeFault) {
        guard let wanted, asked == nil else { return }
        asked = (wanted.subject, now)
        switch wanted.subject {
        case .marketHours: try line.get(path: BrokerClock.path)
        case .position(_, let symbol): try line.get(path: BrokerPosition.path(of: symbol))
        }
    }

    /// Takes the answer to the question under way, once it is there.
    /// - Returns: What the question came to, for the allowance that it tells of.
    mutating func takeAnswer(at now: MonotonicTime) -> HTTPExchangeResult? {
        guard let (subject, askedAt) = asked, let result = line.takeResult() else { return nil }
        asked = nil
        if hear(result, about: subject, askedAt: askedAt, at: now) {
            if wanted?.subject == subject { wanted = nil }
        } else {
            askAgain(subject, at: now)
        }
        return result
    }

    /// Takes what an answer says. False where it says nothing.
    private mutating func hear(
        _ result: HTTPExchangeResult, about subject: Subject, askedAt: MonotonicTime, at now: MonotonicTime
    ) -> Bool {
        switch subject {
        case .marketHours:
            let hours = BrokerClock.marketHours(result, askedAt: askedAt, receivedAt: now)
            if let hours { marketHours = hours }
            return hours != nil
        case .position(_, let symbol):
            if let changed = positionsChangedAt, askedAt <= changed { return false }
            switch BrokerPosition.read(result, of: symbol) {
            case .held(let held): word = (subject, .position(held), now)
            case .nothingHeld: word = (subject, .position(nil), now)
            case .unreadable: return false
            }
            return true
        }
    }

    /// After one second and after two, and then no more.
    private mutating func askAgain(_ subject: Subject, at now: MonotonicTime) {
        guard var again = wanted, again.subject == subject else { return }
        again.timesUnanswered += 1
        guard again.timesUnanswered < LimitQuestions.timesMax else {
            wanted = nil
            word = (subject, .unavailable, now)
            return
        }
        again.due = now + .seconds(again.timesUnanswered)
        wanted = again
    }
}
