import StrictJSON

/// Which members a message of the worker has, and of what kind. Further ones may be there.
enum MessageShape {
    enum Kind: String {
        case text = "a string"
        case textOrNull = "a string or null"
        case count = "a whole number from 0"
        case bool = "true or false"
        case list = "a list"
        case object = "an object"
        case objectOrNull = "an object or null"
        case stream = "16 hexadecimal digits"

        func includes(_ value: JSONValue) -> Bool {
            switch self {
            case .text: value.string != nil
            case .textOrNull: value.string != nil || value.isNull
            case .count: (value.integer ?? -1) >= 0
            case .bool: value.bool != nil
            case .list: value.array != nil
            case .object: value.members != nil
            case .objectOrNull: value.members != nil || value.isNull
            case .stream:
                value.string.map { $0.utf8.count == 16 && $0.allSatisfy { "0123456789abcdef".contains($0) } } ?? false
            }
        }
    }

    static func check(_ message: JSONValue, _ type: String) throws(Deviation) {
        try expect(message["v"] == 1, "\"v\":1", seen: message.text)
        try expect(message["type"]?.string == type, "\"type\":\"\(type)\"", seen: message.text)
        for (member, kind) in members(type, message) {
            try expect(
                message[member].map(kind.includes) ?? false, "\(type) with \(member): \(kind.rawValue)",
                seen: message.text)
        }
        for (member, words) in words(type) {
            try expect(
                message[member]?.string.map(words.contains) ?? false,
                "\(member): one of \(words.joined(separator: ", "))", seen: message.text)
        }
    }

    private static func members(_ type: String, _ message: JSONValue) -> [(String, Kind)] {
        switch type {
        case "ack" where message["status"] == "accepted":
            [
                ("decision_id", .text), ("strategy_name", .text), ("decision_seq", .count), ("duplicate", .bool),
                ("stream", .stream),
            ]
        case "ack":
            [
                ("decision_id", .textOrNull), ("strategy_name", .textOrNull), ("code", .text), ("field", .textOrNull),
                ("message", .text), ("retry", .bool),
            ]
        case "pong": [("stream", .stream), ("partition", .text)]
        case "status", "heartbeat":
            [
                ("stream", .stream), ("partition", .text), ("seq", .count), ("strategies", .object),
                ("pending", .count),
                ("oldest_pending_ms", .count), ("unknown", .count), ("refused", .count), ("halted", .list),
            ]
        case "replay": [("outcomes", .list), ("more", .bool), ("stream", .stream)]
        case "reconcile": [("unknown", .count), ("client_order_ids", .list), ("stream", .stream)]
        case "outcome":
            [
                ("stream", .stream), ("seq", .count), ("strategy_seq", .count), ("partition", .text),
                ("decision_id", .text), ("strategy_name", .text), ("symbol", .textOrNull), ("side", .textOrNull),
                ("quantity", .textOrNull), ("final", .bool), ("reason", .textOrNull), ("execution", .objectOrNull),
                ("at", .text),
            ]
        default: []
        }
    }

    private static func words(_ type: String) -> [(String, [String])] {
        switch type {
        case "ack": [("status", ["accepted", "refused"])]
        case "outcome":
            [
                ("result", ["pending", "success", "partial", "failed", "unknown"]),
                ("decision_status", ["executing", "executed", "failed"]),
            ]
        default: []
        }
    }
}
