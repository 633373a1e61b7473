import StrictJSON

/// One thing that a worker must do.
package struct WorkerCheck {
    /// What is checked, as a sentence about the worker.
    package let name: String
    private let body: (WorkerUnderTest) throws(Deviation) -> String?

    /// - Parameter body: Ends with a note on what was measured, if anything was.
    init(_ name: String, _ body: @escaping (WorkerUnderTest) throws(Deviation) -> String?) {
        self.name = name
        self.body = body
    }

    package func run(_ worker: WorkerUnderTest) -> Finding {
        do throws(Deviation) {
            return Finding(name, .ok(note: try body(worker)))
        } catch {
            return Finding(name, error.verdict)
        }
    }

    /// Whether anybody is there who takes decisions. Without that the rest means nothing.
    package static var first: WorkerCheck {
        WorkerCheck("is there, and takes decisions") { (worker) throws(Deviation) in
            let conversation = try Conversation(worker)
            try MessageShape.check(try conversation.ask(Requests.ping), "pong")
            let status = try conversation.ask(Requests.status)
            try MessageShape.check(status, "status")
            let halted = (status["halted"]?.array ?? []).compactMap(\.string)
            let ours = ["all", Requests.strategy, Requests.otherStrategy, "golden", "golden-2"]
            try expect(
                !halted.contains(where: ours.contains), "no halt while it is checked",
                seen: "halted: \(halted.joined(separator: ", "))")
            return nil
        }
    }

    /// Everything else, in the order in which it is best read.
    package static var rest: [WorkerCheck] {
        GoldenFrame.embedded.map(WorkerCheck.init) + intake + outcomes + orders
    }
}

extension WorkerCheck {
    /// A golden frame is answered as it should be.
    package init(_ frame: GoldenFrame) {
        self.init("frame \(frame.group)/\(frame.name)") { (worker) throws(Deviation) in
            guard !frame.placesOrder || worker.placesGoldenOrders else {
                throw .skipped(why: "it places an order; --with-golden-orders")
            }
            let conversation = try Conversation(worker)
            var first: JSONValue?
            for step in frame.steps {
                let envelope = step.envelope.map { $0.frame(unique: worker.unique) }
                let answer = try conversation.ask(step.body.frame(unique: worker.unique), envelope: envelope)
                try expect(
                    answer.envelope == envelope, "the \(envelope.count) frames of the envelope back",
                    seen: "\(answer.envelope.count) frames: \(answer.envelope)")
                if let type = answer.message["type"]?.string { try MessageShape.check(answer.message, type) }
                try step.check(answer.message, unique: worker.unique, first: first ?? answer.message)
                first = first ?? answer.message
            }
            return nil
        }
    }
}
