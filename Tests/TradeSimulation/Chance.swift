import AlpacaSimulator
import TradingCore

/// A stream of random decisions, each of which a seed repeats exactly. Every actor has its own, so that one more draw
/// here changes nothing there.
struct Chance {
    private var random: SeededRandom

    init(seed: UInt64, of actor: String) {
        var ofActor = SeededRandom(text: actor)
        random = SeededRandom(seed: seed ^ ofActor.next())
    }

    /// - Parameter perMille: How often, of a thousand times.
    mutating func happens(_ perMille: Int64) -> Bool {
        perMille > 0 && random.number(in: 0...999) < perMille
    }

    mutating func number(_ range: ClosedRange<Int64>) -> Int64 { random.number(in: range) }

    /// A length of time, short ones more often than long ones.
    mutating func duration(upTo longest: Microseconds) -> Microseconds {
        let most = max(1, longest.count)
        let shift = number(0...10)
        return Microseconds(number(0...max(1, most >> shift)))
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int(number(0...Int64(elements.count - 1)))]
    }

    mutating func uuid() -> String { random.uuid() }

    mutating func seed() -> UInt64 { random.next() }
}
