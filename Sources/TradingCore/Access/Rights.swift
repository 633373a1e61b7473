/// What the sender of a message may ask for, by the key list as it is when the message is read.
package enum Rights: Equatable, Sendable {
    /// The endpoint is open to whoever reaches it, which is this machine only.
    case unlimited
    case key(AllowedKey)
    /// A key that was allowed when it connected and is in the list no more, or none at all.
    case none

    /// What was read from a message, or, where its sender may not ask for that, the refusal.
    package func allow(_ request: Result<Request, RefusedFrame>) -> Result<Request, RefusedFrame> {
        switch (self, request) {
        case (.unlimited, _): return request
        case (.none, _):
            let refusal = Refusal(.notAuthorised, "this key is not, or no longer, in the worker's key list")
            return .failure(RefusedFrame(refusal, naming: request))
        case (.key, .failure): return request
        case (.key(let key), .success(let asked)):
            guard let refusal = key.refusal(of: asked) else { return request }
            return .failure(RefusedFrame(refusal, naming: request))
        }
    }
}

extension RefusedFrame {
    /// The refusal of a message, with the names that were read from it.
    fileprivate init(_ refusal: Refusal, naming request: Result<Request, RefusedFrame>) {
        switch request {
        case .success(.decision(let decision)):
            self.init(refusal, decisionID: decision.id.text, strategyName: decision.strategy.text)
        case .success: self.init(refusal)
        case .failure(let frame):
            self.init(refusal, decisionID: frame.decisionID, strategyName: frame.strategyName)
        }
    }
}

extension AllowedKey {
    fileprivate func refusal(of request: Request) -> Refusal? {
        switch request {
        case .ping: nil
        case .decision(let decision): tradeRefusal(decision.strategy)
        case .reconcile(let id?): tradeRefusal(id.strategy)
        case .reconcile(nil): strategies == .all ? tradeRefusal(nil) : refused("ask about all strategies at once")
        case .replay(let replay):
            if let strategy = replay.strategy, tradeRefusal(strategy) == nil { nil } else { readRefusal }
        case .status: readRefusal
        }
    }

    private func tradeRefusal(_ strategy: StrategyName?) -> Refusal? {
        guard roles.contains(.trade) else { return refused("trade: its role is read") }
        guard let strategy, !strategies.contains(strategy) else { return nil }
        return refused("trade for \(strategy), only for: \(strategies.text)")
    }

    private var readRefusal: Refusal? {
        roles.contains(.read) ? nil : refused("read, but for outcomes of: \(strategies.text); it lacks the role read")
    }

    private func refused(_ what: String) -> Refusal { Refusal(.notAuthorised, "the key \(name) may not \(what)") }
}
