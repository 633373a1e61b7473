import StrictJSON

/// One step of a strategy's move from one worker to another, as one of the two has stored it. The last one says what this
/// worker may do with the strategy.
package struct StrategyMove: Equatable, Sendable {
    package enum Step: String, CaseIterable, Sendable {
        // At the worker that the strategy leaves.
        /// No new decisions are taken; what was accepted is executed.
        case draining
        /// Nothing of it waits or is unknown, and nothing of it changes here any more: it can be carried over.
        case released
        /// What can be carried over is in a file that goes to another machine, whose worker may have it by now: from here on it
        /// is not this worker's, whatever the map says, unless the other one has refused it.
        case handedOver = "handed_over"
        /// The move is abandoned, and all is as before.
        case kept

        // At the worker that it comes to.
        /// All of it is stored, and nothing is done with it before the partition map says so.
        case imported
        /// The strategy is this worker's.
        case opened

        /// Another worker has it, and knows more of it: it comes back by a move only. Also stored of what moved after the copy
        /// was taken that the database was restored from.
        case gone

        /// Whether new decisions are taken, where the partition map gives the strategy to this worker.
        package var takesDecisions: Bool {
            switch self {
            case .kept, .opened: true
            case .draining, .released, .handedOver, .imported, .gone: false
            }
        }

        /// Whether open orders are left alone: another worker follows them, or will.
        package var isClosed: Bool {
            switch self {
            case .released, .handedOver, .imported, .gone: true
            case .draining, .kept, .opened: false
            }
        }
    }

    package var strategy: StrategyName
    /// Which move it is; no two have the same.
    package var id: String
    package var step: Step
    /// The partition at the other end.
    package var partition: PartitionName

    package init(_ strategy: StrategyName, id: String, step: Step, partition: PartitionName) {
        self.strategy = strategy
        self.id = id
        self.step = step
        self.partition = partition
    }
}

/// What the operator's command asks of a worker: a file in its `moves` folder. It asks again and again, so that asking
/// twice is the same as once.
package struct MoveRequest: Equatable, Sendable {
    package enum Action: String, CaseIterable, Sendable {
        case release
        /// Let go of it, for a worker on another machine, of which nothing is known here.
        case releaseToCarry = "release_to_carry"
        /// Hand over what is released, for good.
        case handOver = "hand_over"
        /// The worker that it was handed over to will never have it.
        case takeBack = "take_back"
        case keep
        case `import`
        case drop
        /// Serve a strategy of which another worker knows more: after a loss, where that worker is lost too.
        case take
    }

    package var action: Action
    package var strategy: StrategyName
    package var id: String
    package var partition: PartitionName

    package init(_ action: Action, _ strategy: StrategyName, id: String, partition: PartitionName) {
        self.action = action
        self.strategy = strategy
        self.id = id
        self.partition = partition
    }

    /// - Parameter content: The file's bytes.
    /// - Returns: Nil where they are no request.
    package init?(_ content: [UInt8]) {
        guard let value = try? JSONValue(parsing: content, depthLimit: 4), value["v"] == 1,
            let action = value["action"]?.string.flatMap(Action.init),
            let strategy = value["strategy_name"]?.string.flatMap({ StrategyName($0) }),
            let id = value["move_id"]?.string, MoveRequest.isID(id),
            let partition = value["partition"]?.string.flatMap({ PartitionName($0) })
        else { return nil }
        self.init(action, strategy, id: id, partition: partition)
    }

    package var text: String {
        let value: JSONValue = [
            "v": 1, "action": .string(action.rawValue), "strategy_name": .string(strategy.text),
            "move_id": .string(id), "partition": .string(partition.text),
        ]
        return value.text + "\n"
    }

    /// It names a file too.
    static func isID(_ text: String) -> Bool {
        text.utf8.count == 16 && text.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    }

    /// The step that it asks for; nil where there is none to take: it is taken, or the move is over.
    /// - Parameters:
    ///   - last: The strategy's last step at this worker.
    ///   - isKnown: Whether any step of this move was taken here.
    package func step(after last: StrategyMove?, isKnown: Bool) -> StrategyMove.Step? {
        let isUnderWay = last?.id == id
        switch action {
        case .release, .releaseToCarry:
            let mayLeave = last?.step.takesDecisions ?? true || last?.step == .gone
            return !isKnown && mayLeave ? .draining : nil
        case .handOver: return isUnderWay && last?.step == .released ? .handedOver : nil
        case .takeBack: return isUnderWay && last?.step == .handedOver ? .kept : nil
        case .take: return !isKnown && last?.step == .gone ? .opened : nil
        case .keep:
            // Also of a move that never began here: it is never to begin.
            guard isKnown else { return last?.step.takesDecisions ?? true ? .kept : nil }
            return isUnderWay && (last?.step == .draining || last?.step == .released) ? .kept : nil
        case .import:
            let isLeaving = last?.step == .draining || last?.step == .released
            return !isKnown && !isLeaving ? .imported : nil
        case .drop:
            // A move that never came here is never to come: its id is used up, and nothing changes.
            guard isKnown else {
                switch last?.step {
                case nil, .kept, .opened: return .kept
                case .gone: return .gone
                case .draining, .released, .handedOver, .imported: return nil
                }
            }
            return isUnderWay && last?.step == .imported ? .gone : nil
        }
    }
}
