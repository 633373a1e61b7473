import Foundation
import StrictJSON
import TradingCore

/// One strategy: thinks, decides, and follows the rule for publishers.
final class SimulatedPublisher {
    let strategy: String
    private let bus: SimulatedBus
    private let time: VirtualTime
    private let ledger: Ledger
    private var chance: Chance
    var circumstances: Circumstances
    /// How many decisions it still makes.
    private var left: Int
    private var number = 0
    private var sequence: Int64?
    private var inFlight: (id: String, body: [UInt8], sends: Int)?
    /// The bodies that were acknowledged, for asking again.
    private var accepted: [(id: String, body: [UInt8])] = []
    private var knowsOfLoss = false

    init(
        _ circumstances: Circumstances, number: Int64, decisions: Int, seed: UInt64, bus: SimulatedBus,
        time: VirtualTime, ledger: Ledger
    ) {
        strategy = "strategy-\(number)"
        self.circumstances = circumstances
        self.bus = bus
        self.time = time
        self.ledger = ledger
        left = decisions
        chance = Chance(seed: seed, of: strategy)
        sequence = chance.happens(300) ? 1 : nil
        think()
    }

    var isDone: Bool { left == 0 && inFlight == nil }

    private func think() {
        guard left > 0 else { return }
        time.after(chance.duration(upTo: circumstances.pause)) { [self] in
            if chance.happens(50) { misbehave() }
            if chance.happens(80), let again = accepted.randomElement(using: &chance) { send(again.body, id: again.id) }
            left -= 1
            number += 1
            let id = "d-\(number)"
            inFlight = (id, decision(id), 0)
            sendInFlight()
        }
    }

    /// Sends, and sends the same again until it is answered.
    private func sendInFlight() {
        guard let (id, body, sends) = inFlight else { return }
        inFlight?.sends += 1
        send(body, id: id)
        time.after(.seconds(2)) { [self] in
            if inFlight?.id == id, inFlight?.sends == sends + 1 { sendInFlight() }
        }
    }

    private func send(_ body: [UInt8], id: String) {
        bus.send(body) { [self] reply in
            guard let answer = JSONValue(reading: reply) else {
                return ledger.violate(.neverLost, "an answer that cannot be read")
            }
            if answer["status"] == "accepted" {
                ledger.isAcknowledged("\(strategy):\(id)", answer)
                guard inFlight?.id == id else { return }
                accepted.append((id, body))
                if sequence != nil { sequence? += 1 }
                inFlight = nil
                think()
            } else if inFlight?.id == id, answer["retry"] != true {
                if answer["code"] == "id_conflict" { ledger.violate(.neverLost, "\(id) is a conflict") }
                // Its number was taken by a message that came late, so that the next decision takes the next.
                if answer["code"] == "out_of_order", let expected = answer["expected"]?.integer { sequence = expected }
                inFlight = nil
                think()
            }
        }
    }

    /// It is told that the database was restored from a copy, and sends some of its last decisions again.
    func tellAgain() {
        knowsOfLoss = true
        sequence = nil
        for (id, body) in accepted.suffix(4) where chance.happens(700) { send(body, id: id) }
        // What it was about to say may count from numbers that are lost.
        if inFlight != nil {
            inFlight = nil
            think()
        }
    }

    // MARK: What it decides

    private func decision(_ id: String) -> [UInt8] {
        var members = [
            #""v":1"#, #""decision_id":"\#(id)""#, #""strategy_name":"\#(strategy)""#, order(),
        ]
        if let sequence { members.append(#""sequence":\#(sequence)"#) }
        switch chance.number(0...9) {
        case 0: members.append(#""valid_for_ms":\#(chance.number(1...20_000))"#)
        case 1:
            let moment = time.trueMoment.advanced(bySeconds: chance.number(-5...60))
            members.append(#""expires_at":"\#(moment.text)""#)
        default: break
        }
        return Array("{\(members.joined(separator: ","))}".utf8)
    }

    private func order() -> String {
        let side = chance.happens(750) ? "buy" : "sell"
        let base = #""side":"\#(side)","#
        switch chance.number(0...11) {
        case 0: return base + #""symbol":"SPY","notional":"25.50""#
        case 1: return base + #""symbol":"BTC/USD","quantity":"0.0150","time_in_force":"gtc""#
        case 2: return base + #""symbol":"NOSUCH","quantity":"1""#
        case 3: return #""side":"buy","symbol":"AAPL","quantity":"90000000""#
        case 4:
            return
                #""side":"buy","symbol":"KO","quantity":"20","order_type":"limit","limit_price":"1.00","time_in_force":"gtc""#
        case 5:
            return """
                "side":"buy","symbol":"AAPL","quantity":"3","order_class":"bracket",\
                "take_profit":{"limit_price":"999"},"stop_loss":{"stop_price":"1"}
                """
        case 6: return base + #""symbol":"AAPL","quantity":"0.75""#
        case 7: return #""side":"buy","symbol":"MSFT","quantity":"12","order_type":"limit","limit_price":"1""#
        default: return base + #""symbol":"AAPL","quantity":"\#(chance.number(2...40))""#
        }
    }

    /// Sends what is no decision, or one that reuses an id.
    private func misbehave() {
        let bad = chance.pick([
            "", "{", #"{"v":1}"#, #"{"v":2,"type":"ping"}"#, #"{"v":1,"type":"replay","after":-1}"#,
            #"{"v":1,"decision_id":"d-1","strategy_name":"\#(strategy)","symbol":"F","side":"buy","quantity":"7777"}"#,
        ])
        // A body that takes the first id before its decision does would be the first.
        if bad.contains("7777"), knowsOfLoss || !accepted.contains(where: { $0.id == "d-1" }) { return }
        bus.send(Array(bad.utf8)) { [self] reply in
            if JSONValue(reading: reply)?["status"] == "accepted" {
                ledger.violate(.neverLost, "\(bad) is accepted")
            }
        }
    }
}

extension Array {
    fileprivate func randomElement(using chance: inout Chance) -> Element? { isEmpty ? nil : chance.pick(self) }
}
