/// Compares the halts in force with what is on record, so that a halt that was made or ended by hand gets its entry too.
package struct HaltAudit: Sendable {
    /// What is recorded where nobody has said why.
    package static let byHand = "by hand, noticed by the worker"

    /// The newest entry of each scope.
    private var last: [Halt.Scope: HaltEvent] = [:]
    /// What was not as recorded at the last look.
    private var unexplained: Set<Halt.Scope> = []

    /// - Parameter events: The newest entry of each scope, or more, in order.
    package init(_ events: [HaltEvent] = []) {
        note(events)
    }

    /// Takes note of entries that are on record now.
    package mutating func note(_ events: [HaltEvent]) {
        for event in events { last[event.scope] = event }
    }

    /// What is to be recorded of halts that nobody has recorded.
    ///
    /// A command makes a halt and its entry one after the other, so what is not as recorded counts only when it was so at
    /// the look before.
    package mutating func look(at inForce: [Halt], now: Timestamp) -> [HaltEvent] {
        let halts = Dictionary(inForce.map { ($0.scope, $0) }) { first, _ in first }
        let recorded = Set(last.filter { $0.value.action == .halted }.keys)
        let before = unexplained
        unexplained = recorded.symmetricDifference(halts.keys)
        guard !unexplained.isEmpty else { return [] }
        return unexplained.intersection(before).sorted { Halt.fileName($0) < Halt.fileName($1) }.map { scope in
            guard let halt = halts[scope] else {
                return HaltEvent(.resumed, scope, reason: HaltAudit.byHand, by: nil, at: now)
            }
            // A file that is still there after its end was recorded says when it was made first.
            let isNew = halt.at.map { at in last[scope].map { $0.at < at } ?? true } ?? false
            return HaltEvent(
                .halted, scope, hold: halt.hold, reason: halt.reason ?? (halt.by == nil ? HaltAudit.byHand : nil),
                by: halt.by, at: isNew ? halt.at ?? now : now)
        }
    }

    /// When the halt of a scope was ended last; nil while it is in force, or where there was none.
    package func resumedAt(_ scope: Halt.Scope) -> Timestamp? {
        guard let event = last[scope], event.action == .resumed else { return nil }
        return event.at
    }
}
