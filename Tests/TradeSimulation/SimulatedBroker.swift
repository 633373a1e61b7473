import AlpacaAPI
import AlpacaSimulator
import OrderResolution
import StrictJSON
import TradeWorker
import TradingCore

/// The broker, and the network on the way to it.
final class SimulatedBroker {
    private let time: VirtualTime
    private let ledger: Ledger
    private let bug: PlantedBug?
    private var chance: Chance
    var circumstances: Circumstances
    private(set) var alpaca: VirtualAlpaca
    /// Whether nothing of it can be reached.
    var isDown = false
    /// What questions were answered with before, by their target.
    private var earlierAnswers: [String: VirtualAlpaca.Answer] = [:]
    private var openByHand: [String] = []

    init(_ circumstances: Circumstances, seed: UInt64, time: VirtualTime, ledger: Ledger, bug: PlantedBug?) {
        self.circumstances = circumstances
        self.time = time
        self.ledger = ledger
        self.bug = bug
        chance = Chance(seed: seed, of: "broker")
        var settings = SimulatedAlpaca.Settings()
        settings.exchange.seed = chance.seed()
        settings.exchange.cash = ExactDecimal(1_000_000_000)
        settings.exchange.makesPartialFills = chance.happens(500)
        settings.exchange.refusesWashTrades = chance.happens(300)
        settings.hiddenForMilliseconds = circumstances.hiddenFor.count / 1000
        alpaca = VirtualAlpaca(settings: settings, at: time.trueMoment)
    }

    // MARK: Placing

    /// What becomes of a request to place an order.
    private enum Fate {
        case isAnswered
        case neverArrives
        case losesItsAnswer
        case arrivesAfterItWasGivenUp
        case cannotConnect
        case meetsServerError(isRecorded: Bool)
        case isAnsweredWithGarbage
        case isOverTheRate
    }

    private func fate() -> Fate {
        if isDown { return chance.happens(500) ? .cannotConnect : .neverArrives }
        let rates: [(Int64, Fate)] = [
            (circumstances.postNeverArrives, .neverArrives), (circumstances.postLosesItsAnswer, .losesItsAnswer),
            (circumstances.postArrivesAfterItWasGivenUp, .arrivesAfterItWasGivenUp),
            (circumstances.postCannotConnect, .cannotConnect),
            (circumstances.postMeetsServerError, .meetsServerError(isRecorded: chance.happens(500))),
            (circumstances.postIsAnsweredWithGarbage, .isAnsweredWithGarbage),
            (circumstances.postIsOverTheRate, .isOverTheRate),
        ]
        for (rate, fate) in rates where chance.happens(rate) { return fate }
        return .isAnswered
    }

    /// A request leaves. What it comes to is handed to `answer`, unless its sender has died by then.
    func place(
        _ target: String, _ body: [UInt8], by life: Life, answer: @escaping (HTTPExchangeResult) -> Void
    ) {
        let fate = fate()
        ledger.note("POST \(ledger.clientOrderID(of: body)): \(fate)")
        let there = latency
        let back = there + latency
        func reply(after delay: Microseconds, _ result: @escaping () -> HTTPExchangeResult) {
            time.after(delay) { if life.isAlive { answer(result()) } }
        }
        func lose(after delay: Microseconds) {
            reply(after: delay) { .lost(reason: "the connection was lost", partial: nil) }
            if bug == .libraryResends {
                time.after(delay) { [self] in
                    ledger.leaves(body)
                    arrive(target, body)
                }
            }
        }
        switch fate {
        case .cannotConnect:
            ledger.hasNotLeft(body)
            reply(after: there) { .notSent(reason: "could not connect") }
        case .neverArrives: lose(after: chance.duration(upTo: .seconds(30)))
        case .losesItsAnswer:
            arrive(target, body, after: there, by: life)
            lose(after: back + chance.duration(upTo: .seconds(30)))
        case .arrivesAfterItWasGivenUp:
            let givenUp = chance.duration(upTo: .seconds(10))
            lose(after: givenUp)
            // When the settle time is over nothing arrives any more: that is what it is for. It may count from the moment
            // at which the request leaves, where the worker dies then.
            let last = Circumstances.settleTime.count - circumstances.hiddenFor.count - 2_000_000
            arrive(target, body, after: Microseconds(chance.number(givenUp.count...last)), by: life)
        case .meetsServerError(let isRecorded):
            if isRecorded { arrive(target, body, after: there, by: life) }
            let status = chance.pick([500, 502, 503, 504])
            let text = chance.pick(["", "<html>", #"{"code":50010000,"message":"internal server error occurred"}"#])
            reply(after: back) { .answered(HTTPAnswer(statusCode: status, body: Array(text.utf8))) }
        case .isOverTheRate:
            reply(after: back) { .answered(HTTPAnswer(statusCode: 429, body: Array("too many requests".utf8))) }
        case .isAnswered, .isAnsweredWithGarbage:
            let cut: Int64? = if case .isAnsweredWithGarbage = fate { chance.number(0...900) } else { nil }
            time.after(there) { [self] in
                guard life.isAlive || chance.happens(500) else { return }
                var answered = arrive(target, body)
                if let cut { answered.body = Array(answered.body.prefix(answered.body.count * Int(cut) / 1000)) }
                time.after(back + Microseconds(-there.count)) { [self] in
                    if life.isAlive { answer(.answered(shown(answered))) }
                }
            }
        }
    }

    /// A request that was on its way when its sender died arrives or does not.
    private func arrive(_ target: String, _ body: [UInt8], after delay: Microseconds, by life: Life) {
        time.after(delay) { [self] in
            if life.isAlive || chance.happens(500) { arrive(target, body) }
        }
    }

    @discardableResult
    private func arrive(_ target: String, _ body: [UInt8]) -> VirtualAlpaca.Answer {
        let id = ledger.clientOrderID(of: body)
        if chance.happens(circumstances.orderHasOddLife), SimulatedBroker.isDivisible(body) { giveOddLife(to: id) }
        let answer = alpaca.answer("POST", target, body: body, at: time.trueMoment)
        ledger.note("POST \(id) arrives: HTTP \(answer.status)")
        if answer.status == 200, chance.happens(circumstances.orderIsChangedByHand) { changeByHand(id) }
        return answer
    }

    // MARK: Asking

    func ask(_ target: String, by life: Life, answer: @escaping (HTTPExchangeResult) -> Void) {
        if bug == .questionsHang { return }
        let delay = latency + latency
        func lose() {
            time.after(chance.duration(upTo: .seconds(30))) {
                if life.isAlive { answer(.lost(reason: "the connection was lost", partial: nil)) }
            }
        }
        if isDown || chance.happens(circumstances.questionIsLost) { return lose() }
        if chance.happens(circumstances.questionMeetsServerError) {
            let status = chance.pick([401, 404, 429, 500, 502, 503, 504])
            time.after(delay) {
                if life.isAlive { answer(.answered(HTTPAnswer(statusCode: status, body: Array("<html>".utf8)))) }
            }
            return
        }
        let isLate = chance.happens(circumstances.questionIsAnsweredLate)
        let isSlow = chance.happens(circumstances.questionIsAnsweredLate)
        let cut = chance.happens(circumstances.questionIsAnsweredWithGarbage) ? chance.number(0...900) : nil
        time.after(delay) { [self] in
            guard life.isAlive else { return }
            var answered = alpaca.answer("GET", target, at: time.trueMoment)
            // That there is no such order may be told late only as long as new orders are hidden.
            if isLate, let earlier = earlierAnswers[target], earlier.status == 200 { answered = earlier }
            earlierAnswers[target] = answered
            if bug == .lookUpsFindNothing, target.contains("by_client_order_id") {
                answered.status = 404
                answered.body = Array(#"{"code":40410000,"message":"order not found for it"}"#.utf8)
            }
            if let cut { answered.body = Array(answered.body.prefix(answered.body.count * Int(cut) / 1000)) }
            ledger.note(
                "GET \(target): HTTP \(answered.status), \(answered.body.count) bytes: \(String(decoding: answered.body.prefix(1200), as: UTF8.self))"
            )
            let told = shown(answered)
            // What was true when it was asked for may be read much later.
            time.after(isSlow ? chance.duration(upTo: .seconds(29)) : .zero) {
                if life.isAlive { answer(.answered(told)) }
            }
        }
    }

    private var latency: Microseconds { Microseconds(chance.number(200...max(200, circumstances.latency.count))) }

    private func shown(_ answer: VirtualAlpaca.Answer) -> HTTPAnswer {
        var body = answer.body
        if bug == .fillsAreTenfold {
            let text = String(decoding: body, as: UTF8.self)
            body = Array(text.replacing(#/"filled_qty":"([1-9][0-9.]*)"/#) { "\"filled_qty\":\"1\($0.1)\"" }.utf8)
        }
        return HTTPAnswer(
            statusCode: answer.status, body: body, headers: BrokerHeaders(requestID: answer.requestID))
    }

    // MARK: What happens to orders

    /// Whether an order can be filled for one share and not be filled.
    private static func isDivisible(_ body: [UInt8]) -> Bool {
        guard let quantity = JSONValue(reading: body)?["qty"]?.string.flatMap({ ExactDecimal($0) }) else {
            return false
        }
        return quantity.isWhole && ExactDecimal(1) < quantity
    }

    /// An order that is rejected after it was taken, ends with a part filled, passes through states that nobody knows, and
    /// the like.
    private func giveOddLife(to id: String) {
        func step(_ milliseconds: Int64, _ status: SimulatedOrderStatus, filled: Int64? = nil) -> ScriptStep {
            ScriptStep(
                afterMilliseconds: milliseconds, status: status, filledQuantity: filled.map { ExactDecimal($0) })
        }
        let moment = chance.number(0...20_000)
        let steps: [ScriptStep] =
            switch chance.number(0...7) {
            case 0: [step(moment, .rejected)]
            case 1: [step(moment, .partiallyFilled, filled: 1), step(moment + 3000, .canceled)]
            case 2: [step(moment, .partiallyFilled, filled: 1), step(moment + 3000, .expired)]
            case 3: [step(moment, SimulatedOrderStatus.other("awaiting_moon")), step(moment + 9000, .filled)]
            case 4: [step(moment, .doneForDay), step(moment + 60_000, .filled)]
            case 5: [step(moment, .filled)]
            case 6: [step(moment, .held), step(moment + 500, .new), step(moment + 70_000, .canceled)]
            default:
                [
                    step(moment, .suspended), step(moment + 2000, .partiallyFilled, filled: 1),
                    step(moment + 4000, .filled),
                ]
            }
        alpaca.exchange.addScript(Script(clientOrderID: id, steps: steps, times: 1))
    }

    /// Somebody cancels or replaces an order in the broker's own dashboard.
    private func changeByHand(_ id: String) {
        let isReplaced = chance.happens(600)
        time.after(chance.duration(upTo: .seconds(120))) { [self] in
            guard let order = alpaca.order(clientOrderID: id, at: time.trueMoment) else { return }
            if isReplaced {
                let quantity = chance.number(1...30)
                _ = alpaca.answer(
                    "PATCH", "/v2/orders/\(order.id)", body: Array("{\"qty\":\"\(quantity)\"}".utf8),
                    at: time.trueMoment)
            } else {
                _ = alpaca.answer("DELETE", "/v2/orders/\(order.id)", at: time.trueMoment)
            }
        }
    }

    /// Ends whatever still lives, as the last session does.
    func endAllOrders() {
        _ = alpaca.answer("DELETE", "/v2/orders", at: time.trueMoment)
        alpaca.exchange.setMarket(open: false, at: time.trueMoment)
        alpaca.exchange.setMarket(open: true, at: time.trueMoment)
    }

    /// What a client order id's order, or the last one that replaced it, has come to.
    func truth(of id: String) -> Truth? {
        guard var order = alpaca.order(clientOrderID: id, at: time.trueMoment) else { return nil }
        var filled = order.filledQuantity
        while order.status == .replaced,
            let next = order.replacedBy.flatMap({ alpaca.order(id: $0, at: time.trueMoment) })
        {
            order = next
            filled = filled + order.filledQuantity
        }
        return Truth(isOver: order.status.isFinal, isFilled: order.status == .filled, filled: filled)
    }

    struct Truth {
        let isOver: Bool
        let isFilled: Bool
        let filled: ExactDecimal
    }
}

/// The worker's two lines to the broker, of one life.
final class LifeLine: OrderPlacement, OrderLookUps {
    private let broker: SimulatedBroker
    private let ledger: Ledger
    private let life: Life
    private var result: HTTPExchangeResult?

    init(_ broker: SimulatedBroker, _ ledger: Ledger, _ life: Life) {
        self.broker = broker
        self.ledger = ledger
        self.life = life
    }

    func post(path: String, body: [UInt8]) throws(EdgeFault) {
        guard life.isAlive else { return }
        ledger.leaves(body)
        broker.place(path, body, by: life) { [self] in result = $0 }
    }

    func get(path: String) throws(EdgeFault) {
        guard life.isAlive else { return }
        broker.ask(path, by: life) { [self] in result = $0 }
    }

    func takeResult() -> HTTPExchangeResult? {
        defer { result = nil }
        return result
    }
}
