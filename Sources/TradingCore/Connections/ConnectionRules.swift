/// Decides which connections of the worker's sockets are cut, and when no new ones are let in, so that no stranger can
/// take its memory, its descriptors or its time: what ZeroMQ's own options cannot bound. An honest client that is cut
/// connects again by itself, and loses nothing: publishers send again, subscribers ask for what they missed.
package struct ConnectionRules: Sendable {
    /// How many connections each socket may have.
    package static let connectionsMax = 500
    /// How many bytes a subscriber may send at once, and how many more each second: its subscriptions and heartbeats.
    package static let subscriptionBytesMax: Int64 = 64 << 10
    package static let subscriptionBytesPerSecond: Int64 = 64
    /// The same for all subscribers together: ZeroMQ works through subscriptions in the main loop, some microseconds each.
    package static let allSubscriptionBytesMax: Int64 = 128 << 10
    package static let allSubscriptionBytesPerSecond: Int64 = 4 << 10
    /// How long a connection may take nothing of what waits for it.
    package static let patience = Microseconds.seconds(30)
    /// How far memory may grow beyond what the worker needs by itself, and for connections as such, in bytes.
    package static let growthMax: Int64 = 64 << 20
    /// What a connection takes by itself, with nothing sent over it, in bytes (measured: 23 KiB at rest, 53 KiB while
    /// hundreds come and go).
    package static let connectionBytes: Int64 = 48 << 10

    /// For how long a socket lets no new connection in after one was cut for what it did, so that who comes again and
    /// again gets to do it seldom.
    private static func closing(_ socket: ConnectionSight.Socket) -> Microseconds {
        switch socket {
        case .intake: .seconds(1)
        case .outcomes: .seconds(10)
        }
    }

    /// For so long after a cut, memory may still be held for connections that are gone.
    private static let aftermath = Microseconds.seconds(10)

    /// What a connection may hold without being cut for it, in bytes: an ordinary message, so that who has one under way
    /// does not pay for a crowd.
    private static let heldByAnybody: Int64 = 1 << 10
    /// What those that hold more may hold together without being asked about, in bytes.
    private static let heldUnasked: Int64 = 64 << 10
    /// How long a connection must have taken nothing to count as one that does not read.
    private static let stall = Microseconds.seconds(1)
    /// What a connection that takes nothing counts as holding, in bytes: more than it shows, since all that waits for
    /// it is in memory.
    private static let heldByStalled: Int64 = 1 << 20

    private let connectionsMax: Int
    private var known: [UInt64: Known] = [:]
    /// The memory that the worker uses for itself, in bytes.
    private var ownBytes: Int64
    private var looks = 0
    private var closedUntil: [ConnectionSight.Socket: MonotonicTime] = [:]
    private var lastCut: MonotonicTime?
    /// When all that subscribers have sent will have been within what they may send each second.
    private var subscriptionsPaidAt: MonotonicTime?

    /// What is remembered of one connection.
    private struct Known {
        var socket: ConnectionSight.Socket
        var firstSeen: MonotonicTime
        /// When a message of it was last taken; when it was first seen, if none was yet.
        var lastMessage: MonotonicTime
        var hasDelivered = false
        var lastMessageSecond: Int64 { lastMessage.microseconds / 1_000_000 }
        var taken: Int64 = 0
        var handed: Int64 = 0
        var sent: Int64
        var stalledSince: MonotonicTime?
        var subscriptionBytes: Int64 = 0
        /// The memory that is held for it, in bytes.
        var held: Int64 = 0
        var lastLook = 0
    }

    /// - Parameters:
    ///   - residentBytes: The memory in use before there are any connections.
    ///   - connectionsMax: How many connections each socket may have.
    package init(residentBytes: Int64, connectionsMax: Int = ConnectionRules.connectionsMax) {
        self.connectionsMax = connectionsMax
        ownBytes = residentBytes
    }

    /// The memory from which on connections are cut, in bytes.
    package var residentBytesMax: Int64 { ownBytes + ConnectionRules.growthMax + crowdBytes }

    private var crowdBytes: Int64 { Int64(known.count) * ConnectionRules.connectionBytes }

    /// Looks at all connections.
    /// - Parameter residentBytes: The memory in use now.
    package mutating func judge(
        _ sights: [ConnectionSight], residentBytes: Int64, at now: MonotonicTime
    ) -> ConnectionVerdict {
        looks += 1
        ownBytes = min(ownBytes, residentBytes)
        for sight in sights { note(sight, at: now) }
        if known.count > sights.count { known = known.filter { $0.value.lastLook == looks } }

        var verdict = ConnectionVerdict()
        for (id, one) in known {
            if let reason = ownFault(of: one, at: now) { verdict.cuts[id] = reason }
        }
        for socket in ConnectionSight.Socket.allCases { cutSurplus(of: socket, &verdict) }
        if residentBytes > residentBytesMax { relieve(&verdict, at: now) }
        closeDoors(&verdict, isMemoryShort: residentBytes > residentBytesMax, at: now)
        return verdict
    }

    private mutating func closeDoors(_ verdict: inout ConnectionVerdict, isMemoryShort: Bool, at now: MonotonicTime) {
        for (id, reason) in verdict.cuts where reason != .readsNothing {
            guard let one = known[id] else { preconditionFailure("only what was seen is cut") }
            lastCut = now
            // At the intake newcomers get the time to deliver; a closed door would keep them out for longer than the crowd.
            if reason == .tooMany, one.socket == .intake { continue }
            closedUntil[one.socket] = now + ConnectionRules.closing(one.socket)
        }
        if let paidAt = subscriptionsPaidAt,
            (paidAt - now).count * ConnectionRules.allSubscriptionBytesPerSecond
                > ConnectionRules.allSubscriptionBytesMax * 1_000_000
        {
            closedUntil[.outcomes] = now + ConnectionRules.closing(.outcomes)
        }
        for socket in ConnectionSight.Socket.allCases {
            // So that descriptors and memory last until the next look.
            if known.values.count(where: { $0.socket == socket }) > connectionsMax + connectionsMax / 4 {
                verdict.closed.insert(socket)
            }
            guard let until = closedUntil[socket] else { continue }
            if now < until || isMemoryShort && isAftermath(at: now) {
                verdict.closed.insert(socket)
            } else {
                closedUntil[socket] = nil
            }
        }
    }

    private func isAftermath(at now: MonotonicTime) -> Bool {
        lastCut.map { now - $0 < ConnectionRules.aftermath } ?? false
    }

    private mutating func note(_ sight: ConnectionSight, at now: MonotonicTime) {
        var one =
            known[sight.id]
            ?? Known(socket: sight.socket, firstSeen: now, lastMessage: now, sent: sight.sent)
        one.lastLook = looks
        if sight.taken > 0 {
            one.lastMessage = now
            one.hasDelivered = true
        }
        one.stalledSince = sight.unsent > 0 && sight.sent == one.sent ? one.stalledSince ?? now : nil
        one.sent = sight.sent
        switch sight.socket {
        case .intake where !sight.isCounted: one.held = sight.read + sight.unsent
        case .intake:
            // Answers are counted shorter than they are, and so may messages be longer: below nothing there is no credit.
            one.taken = min(one.taken + sight.taken, sight.read)
            one.handed = max(one.handed + sight.handed, sight.written)
            one.held = (sight.read - one.taken) + (one.handed - sight.written)
        case .outcomes:
            let new = max(0, sight.read - one.subscriptionBytes)
            let cost = Microseconds(new * 1_000_000 / ConnectionRules.allSubscriptionBytesPerSecond)
            subscriptionsPaidAt = max(subscriptionsPaidAt ?? now, now) + cost
            one.subscriptionBytes = sight.read
            one.held = sight.read
        }
        if let since = one.stalledSince, now - since >= ConnectionRules.stall {
            one.held += ConnectionRules.heldByStalled
        }
        known[sight.id] = one
    }

    /// What is wrong with a connection by itself.
    private func ownFault(of one: Known, at now: MonotonicTime) -> ConnectionVerdict.Reason? {
        if let since = one.stalledSince, now - since >= ConnectionRules.patience { return .readsNothing }
        guard one.socket == .outcomes else { return nil }
        let seconds = (now - one.firstSeen).count / 1_000_000
        let allowed =
            ConnectionRules.subscriptionBytesMax + seconds * ConnectionRules.subscriptionBytesPerSecond
        return one.subscriptionBytes > allowed ? .sendsTooMuch : nil
    }

    /// Cuts what is too much. Of the intake's first those that have never delivered a message, the oldest first, while
    /// they are more than half of what is allowed: who is honest delivers right after connecting, and gets the time for
    /// it. Then those that have been silent for longest in whole seconds, and the newest of those. Of the subscribers,
    /// who have nothing to say, the newest.
    private func cutSurplus(of socket: ConnectionSight.Socket, _ verdict: inout ConnectionVerdict) {
        let all = known.filter { $0.value.socket == socket }
        let surplus = all.count - connectionsMax
        guard surplus > 0 else { return }
        var order: [UInt64]
        switch socket {
        case .intake:
            let mute = all.filter { !$0.value.hasDelivered }
            let muteSurplus = max(0, mute.count - connectionsMax / 2)
            order = mute.sorted { ($0.value.firstSeen, $0.key) < ($1.value.firstSeen, $1.key) }.prefix(muteSurplus)
                .map(\.key)
            if order.count < surplus {
                let cut = Set(order)
                order += all.filter { !cut.contains($0.key) }.sorted {
                    ($0.value.lastMessageSecond, $1.value.firstSeen, $1.key)
                        < ($1.value.lastMessageSecond, $0.value.firstSeen, $0.key)
                }.map(\.key)
            }
        case .outcomes: order = all.sorted { ($1.value.firstSeen, $1.key) < ($0.value.firstSeen, $0.key) }.map(\.key)
        }
        for id in order.prefix(surplus) where verdict.cuts[id] == nil { verdict.cuts[id] = .tooMany }
    }

    /// Cuts those that hold the most, until half of what all hold is let go. Where they hold next to nothing, the memory
    /// is the worker's own.
    private mutating func relieve(_ verdict: inout ConnectionVerdict, at now: MonotonicTime) {
        let holders = known.filter { $0.value.held >= ConnectionRules.heldByAnybody }
        let held = holders.values.reduce(0) { $0 + $1.held }
        guard held >= ConnectionRules.heldUnasked else {
            verdict.settles = verdict.cuts.isEmpty && !isAftermath(at: now)
            return
        }
        var letGo: Int64 = 0
        for (id, one) in holders.sorted(by: { $0.value.held > $1.value.held }) where letGo * 2 < held {
            letGo += one.held
            verdict.cuts[id] = verdict.cuts[id] ?? .holdsMemory
        }
    }

    /// Takes what is in use now for what the worker needs: nothing is held for any connection, and nothing more could be
    /// given back.
    package mutating func settle(residentBytes: Int64) {
        ownBytes = max(ownBytes, residentBytes - crowdBytes - ConnectionRules.growthMax / 2)
    }
}
