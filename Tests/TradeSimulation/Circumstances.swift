import TradingCore

/// How the world of one seed is: how often each thing goes wrong in it, how busy it is, how the worker is set. Drawn once,
/// with some of the troubles left out each time, so that each is met alone and together with others.
struct Circumstances {
    // Of a thousand requests that place an order:
    var postNeverArrives: Int64
    var postLosesItsAnswer: Int64
    var postArrivesAfterItWasGivenUp: Int64
    var postCannotConnect: Int64
    var postMeetsServerError: Int64
    var postIsAnsweredWithGarbage: Int64
    var postIsOverTheRate: Int64
    // Of a thousand questions:
    var questionIsLost: Int64
    var questionMeetsServerError: Int64
    var questionIsAnsweredWithGarbage: Int64
    /// Answered with what was true some time ago.
    var questionIsAnsweredLate: Int64
    /// For how long a new order is not shown.
    var hiddenFor: Microseconds
    // Of a thousand orders:
    var orderHasOddLife: Int64
    var orderIsChangedByHand: Int64
    // Of a thousand messages between worker and clients:
    var messageIsLost: Int64
    var messageComesTwice: Int64
    var messageIsDelayed: Int64
    /// How often a subscriber freezes, of a thousand outcomes.
    var subscriberFreezes: Int64

    /// How long the worker lives on average; nil for as long as it likes.
    var lifeSpan: Microseconds?
    /// Of a thousand deaths, by the power failing.
    var deathIsPowerFailure: Int64
    /// How long until the disk has its next trouble; nil for never.
    var diskTroubleEvery: Microseconds?
    var clockJumpEvery: Microseconds?
    var haltEvery: Microseconds?
    /// How long until all of the broker is out of reach; nil for never.
    var outageEvery: Microseconds?
    /// Whether the database is lost once and restored from a copy.
    var losesDatabase: Bool

    var strategies: Int64
    /// How long a strategy thinks between two decisions, at most.
    var pause: Microseconds
    var latency: Microseconds
    var settings: WorkerSettingsDrawn

    struct WorkerSettingsDrawn {
        var holdsStrategyOfUnknown: Bool
        var requestsPerMinute: Int?
        var queueMax: Int
        var maxAge: Microseconds
        var heartbeatInterval: Microseconds
    }

    /// How long after a lost answer an order must be missing to count as absent.
    static let settleTime = Microseconds.seconds(30)

    static func drawn(_ chance: inout Chance) -> Circumstances {
        func trouble(_ chance: inout Chance, upTo most: Int64) -> Int64 {
            chance.happens(400) ? 0 : chance.number(1...most)
        }
        func every(_ chance: inout Chance, _ range: ClosedRange<Int64>) -> Microseconds? {
            chance.happens(500) ? nil : .seconds(chance.number(range))
        }
        return Circumstances(
            postNeverArrives: trouble(&chance, upTo: 100), postLosesItsAnswer: trouble(&chance, upTo: 150),
            postArrivesAfterItWasGivenUp: trouble(&chance, upTo: 100), postCannotConnect: trouble(&chance, upTo: 60),
            postMeetsServerError: trouble(&chance, upTo: 100), postIsAnsweredWithGarbage: trouble(&chance, upTo: 60),
            postIsOverTheRate: trouble(&chance, upTo: 40), questionIsLost: trouble(&chance, upTo: 200),
            questionMeetsServerError: trouble(&chance, upTo: 200),
            questionIsAnsweredWithGarbage: trouble(&chance, upTo: 60),
            questionIsAnsweredLate: trouble(&chance, upTo: 150),
            hiddenFor: chance.happens(500) ? .zero : .seconds(chance.number(1...8)),
            orderHasOddLife: trouble(&chance, upTo: 400), orderIsChangedByHand: trouble(&chance, upTo: 200),
            messageIsLost: trouble(&chance, upTo: 80), messageComesTwice: trouble(&chance, upTo: 150),
            messageIsDelayed: trouble(&chance, upTo: 150), subscriberFreezes: trouble(&chance, upTo: 80),
            lifeSpan: every(&chance, 1...900), deathIsPowerFailure: chance.happens(500) ? 0 : chance.number(1...700),
            diskTroubleEvery: every(&chance, 20...1200), clockJumpEvery: every(&chance, 20...1800),
            haltEvery: every(&chance, 60...1800), outageEvery: every(&chance, 60...3600),
            losesDatabase: chance.happens(100), strategies: chance.number(1...6),
            pause: .milliseconds(chance.pick([50, 500, 5_000, 60_000, 300_000])),
            latency: .milliseconds(chance.pick([1, 5, 50, 400])),
            settings: WorkerSettingsDrawn(
                holdsStrategyOfUnknown: chance.happens(300),
                requestsPerMinute: chance.happens(700) ? nil : Int(chance.number(30...200)),
                queueMax: chance.happens(100) ? 3 : 100_000,
                maxAge: .seconds(chance.pick([5, 60, 300])),
                heartbeatInterval: .seconds(chance.pick([1, 10, 60]))))
    }

    /// The same world once nothing goes wrong in it any more, so that everything can come to its end.
    func calmed() -> Circumstances {
        var calm = self
        calm.postNeverArrives = 0
        calm.postLosesItsAnswer = 0
        calm.postArrivesAfterItWasGivenUp = 0
        calm.postCannotConnect = 0
        calm.postMeetsServerError = 0
        calm.postIsAnsweredWithGarbage = 0
        calm.postIsOverTheRate = 0
        calm.questionIsLost = 0
        calm.questionMeetsServerError = 0
        calm.questionIsAnsweredWithGarbage = 0
        calm.questionIsAnsweredLate = 0
        calm.orderHasOddLife = 0
        calm.orderIsChangedByHand = 0
        calm.messageIsLost = 0
        calm.messageComesTwice = 0
        calm.messageIsDelayed = 0
        calm.subscriberFreezes = 0
        calm.lifeSpan = nil
        calm.diskTroubleEvery = nil
        calm.clockJumpEvery = nil
        calm.haltEvery = nil
        calm.outageEvery = nil
        return calm
    }
}
