/// The pieces, and what a trade made of nothing but them would cost.
package struct FloorReport {
    private let pieces: [FloorPiece]

    package init(_ pieces: [FloorPiece]) {
        self.pieces = pieces
    }

    package var text: String {
        var table = Table(["floor", "p50 us", "p99 us", "max us", "CPU us"])
        for piece in pieces {
            let place = piece.location.map { ", \($0)" } ?? ""
            table.add([
                piece.kind.title + place, Figure.text(piece.latency.p50), Figure.text(piece.latency.p99),
                Figure.text(piece.latency.max), Figure.text(piece.processorTime),
            ])
        }
        return table.text
    }

    /// A trade that comes alone, of bare pieces: a round trip for decision and ack, a commit before the request and one
    /// after the answer, and the exchange. Microseconds; nil where a piece was not measured.
    package func trade(at location: String) -> (latency: Double, processorTime: Double)? {
        guard let commit = piece(.commit, location), let exchange = piece(.httpExchange, nil),
            let roundTrip = piece(.zeroMQRoundTrip, nil)
        else { return nil }
        return (
            2 * commit.latency.p50 + exchange.latency.p50 + roundTrip.latency.p50,
            2 * commit.processorTime + exchange.processorTime + roundTrip.processorTime
        )
    }

    private func piece(_ kind: FloorPiece.Kind, _ location: String?) -> FloorPiece? {
        pieces.first { $0.kind == kind && $0.location == location }
    }

    /// trade-executor, one decision at a time, over that floor.
    package func text(over comparisons: [Comparison]) -> String? {
        var table = Table(["one trade, us", "floor", "trade-executor", "ratio"])
        var isEmpty = true
        for comparison in comparisons where comparison.condition.scenario.shape == .closedLoop(window: 1) {
            guard comparison.condition.scenario.brokerDelayMilliseconds == 0,
                let floor = trade(at: comparison.condition.location),
                let latency = comparison.spread(.tradeExecutor, { $0.latencies.toOutcome?.p50 }),
                let used = comparison.spread(.tradeExecutor, { $0.processorTimePerTrade })
            else { continue }
            isEmpty = false
            let place = "\(comparison.condition.location), \(Figure.grouped(comparison.condition.seeded)) before"
            table.add([
                "decision to outcome, p50, \(place)", Figure.text(floor.latency), Figure.text(latency.median),
                Figure.text(latency.median / floor.latency),
            ])
            table.add([
                "CPU time, \(place)", Figure.text(floor.processorTime), Figure.text(used.median),
                Figure.text(used.median / floor.processorTime),
            ])
        }
        return isEmpty ? nil : table.text
    }
}

extension FloorPiece.Kind {
    var title: String {
        switch self {
        case .fdatasync: "4 KiB overwritten, fdatasync"
        case .commit: "commit of a 1 kB row, WAL, FULL"
        case .httpExchange: "HTTP exchange, plain socket"
        case .zeroMQRoundTrip: "ZeroMQ round trip, TCP"
        }
    }
}
