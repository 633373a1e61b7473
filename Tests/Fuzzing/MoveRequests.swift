import StrictJSON
import TradingCore

/// What an operator's command asks of a worker: it is read as it is written, and names no file but in its own folder.
func checkMoveRequest(_ bytes: [UInt8]) throws {
    guard let request = MoveRequest(bytes) else { return }
    guard let json = tree(bytes) else { throw BrokenProperty(description: "what is taken is JSON") }
    try expect(json["action"]?.string == request.action.rawValue, "the action is the one that is written")
    try expect(json["strategy_name"]?.string == request.strategy.text, "the strategy is the one that is written")
    try expect(json["partition"]?.string == request.partition.text, "the partition is the one that is written")
    try expect(json["move_id"]?.string == request.id, "the move is the one that is written")
    try expect(!request.id.contains("/") && !request.id.hasPrefix("."), "a move names no other folder")
    try expect(MoveRequest(Array(request.text.utf8)) == request, "it is read as it is written")
    for last in StrategyMove.Step.allCases {
        let before = StrategyMove(request.strategy, id: request.id, step: last, partition: request.partition)
        guard let next = request.step(after: before, isKnown: true) else { continue }
        let after = StrategyMove(request.strategy, id: request.id, step: next, partition: request.partition)
        try expect(request.step(after: after, isKnown: true) == nil, "asked twice, it is done once")
    }
}
