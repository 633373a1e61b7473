import StrictJSON
package import TradingCore

/// Reads the broker's answers about orders. It takes numbers as strings or as numbers, ignores keys it does not know,
/// and survives absent ones, since public recordings show all of that. Without id and status it is no order, nor with a
/// filled quantity that stands there and cannot be read, its own or a leg's: taken for none it would make a failure of a
/// trade. Nor is an answer readable that gives one key twice.
package enum OrderAnswer {
    /// More than this is nobody's fill. It keeps the sums over a chain of replaced orders within `ExactDecimal`.
    private static let filledQuantityMax = ExactDecimal(1_000_000_000_000_000)

    /// One order. Nil where the bytes are not one.
    package static func order(_ bytes: [UInt8]) -> BrokerOrder? {
        read(bytes) { (reader) throws(JSONError) in
            let shown = try order(&reader)
            return shown.isReadable ? shown.order : nil
        }
    }

    /// The orders of a listing, each with its own bytes. Nil where the bytes are not a listing.
    ///
    /// What is no readable order is left out: one odd order of the account, maybe not even ours, must not hide all the
    /// others. So an order that is not here may exist nevertheless, and is to be asked for by its id.
    package static func listing(_ bytes: [UInt8]) -> [(order: BrokerOrder, bytes: [UInt8])]? {
        read(bytes) { (reader) throws(JSONError) in
            var orders: [(order: BrokerOrder, bytes: [UInt8])] = []
            try reader.beginArray()
            while try reader.nextElement() {
                guard try reader.peekKind() == .object else {
                    try reader.skipValue()
                    continue
                }
                let shown = try order(&reader)
                if shown.isReadable { orders.append((shown.order, Array(shown.bytes))) }
            }
            return orders
        }
    }

    private static func read<Value>(
        _ bytes: [UInt8], _ body: (inout JSONReader) throws(JSONError) -> Value?
    ) -> Value? {
        bytes.withUnsafeBytes { buffer in
            do {
                var reader = try JSONReader(buffer, refusesDuplicateKeys: true)
                let value = try body(&reader)
                try reader.finish()
                return value
            } catch {
                return nil
            }
        }
    }

    /// What one object says of an order.
    private struct ShownOrder {
        var order: BrokerOrder
        /// As they came; valid as long as the reader's.
        var bytes: UnsafeRawBufferPointer
        var isReadable: Bool
        /// Whether it shows a fill, or may, because what it shows cannot be read.
        var mayBeFilled: Bool
    }

    /// Reads the object that comes next, legs included.
    private static func order(_ reader: inout JSONReader) throws(JSONError) -> ShownOrder {
        let start = reader.beginningOfValue()
        var unknownKeys = KeysSeen()
        var seen: UInt64 = 0
        var order = BrokerOrder(id: "", clientOrderID: "", status: OrderStatus(""))
        var filledQuantityIsReadable = true
        var legsHideNoFill = true
        try reader.beginObject()
        while let key = try reader.nextKey() {
            guard let field = OrderField(key) else {
                guard unknownKeys.insert(key) else { throw .duplicateKey(key.text) }
                try reader.skipValue()
                continue
            }
            guard seen & field.bit == 0 else { throw .duplicateKey(key.text) }
            seen |= field.bit
            switch field {
            case .id: order.id = try text(&reader) ?? ""
            case .clientOrderID: order.clientOrderID = try text(&reader) ?? ""
            case .status: order.status = OrderStatus(try text(&reader) ?? "")
            case .symbol: order.symbol = try nonEmptyText(&reader)
            case .side: order.side = try nonEmptyText(&reader)
            case .quantity: order.quantity = try decimal(&reader)
            case .notional: order.notional = try decimal(&reader)
            case .filledQuantity:
                if try reader.nullIfPresent() { continue }
                order.filledQuantity = try decimal(&reader)
                filledQuantityIsReadable = order.filledQuantity.map { .zero <= $0 && $0 <= filledQuantityMax } ?? false
            case .filledAveragePrice: order.filledAveragePrice = try decimal(&reader)
            case .commission: order.commission = try decimal(&reader)
            case .submittedAt: order.submittedAt = try text(&reader).flatMap(Timestamp.init)
            case .updatedAt: order.updatedAt = try text(&reader).flatMap(Timestamp.init)
            case .filledAt: order.filledAt = try text(&reader).flatMap(Timestamp.init)
            case .failedAt: order.failedAt = try text(&reader).flatMap(Timestamp.init)
            case .replacedBy: order.replacedBy = try nonEmptyText(&reader)
            case .legs:
                let shown = try legs(&reader)
                order.legs = shown.filter(\.isReadable).map(\.order)
                legsHideNoFill = shown.allSatisfy { $0.isReadable || !$0.mayBeFilled }
            }
        }
        let fillsAreReadable = filledQuantityIsReadable && legsHideNoFill
        return ShownOrder(
            order: order, bytes: reader.bytes(since: start),
            isReadable: !order.id.isEmpty && !order.status.text.isEmpty && fillsAreReadable,
            mayBeFilled: !fillsAreReadable || order.filledQuantity?.isPositive ?? false)
    }

    private static func legs(_ reader: inout JSONReader) throws(JSONError) -> [ShownOrder] {
        guard try reader.peekKind() == .array else {
            try reader.skipValue()
            return []
        }
        var legs: [ShownOrder] = []
        try reader.beginArray()
        while try reader.nextElement() {
            guard try reader.peekKind() == .object else {
                try reader.skipValue()
                continue
            }
            legs.append(try order(&reader))
        }
        return legs
    }

    private static func text(_ reader: inout JSONReader) throws(JSONError) -> String? {
        if try reader.peekKind() == .string { return try reader.string() }
        try reader.skipValue()
        return nil
    }

    private static func nonEmptyText(_ reader: inout JSONReader) throws(JSONError) -> String? {
        guard let text = try text(&reader), !text.isEmpty else { return nil }
        return text
    }

    /// A decimal written as a string or as a number.
    private static func decimal(_ reader: inout JSONReader) throws(JSONError) -> ExactDecimal? {
        switch try reader.peekKind() {
        case .string: return ExactDecimal(try reader.string())
        case .number: return ExactDecimal(try reader.numberToken().text)
        case .object, .array, .bool, .null:
            try reader.skipValue()
            return nil
        }
    }
}

/// Reads the broker's error answers, which are JSON, HTML or plain text.
package enum ErrorAnswer {
    package static func read(_ body: [UInt8], httpStatusCode: Int) -> BrokerError {
        if let (value, message) = message(in: body) {
            let saysMore = value.members?.contains { $0.key != "message" } ?? false
            return BrokerError(code: value["code"]?.integer, message: message, details: saysMore ? value.text : nil)
        }
        let text = String(decoding: body.prefix(4096), as: UTF8.self)
        guard !text.isEmpty, !text.contains("<") else {
            return BrokerError(
                message: "HTTP \(httpStatusCode): no readable message", details: text.isEmpty ? nil : text)
        }
        return BrokerError(message: text)
    }

    /// Whether a body is the broker's own error answer, whole: one JSON object with a message.
    package static func isReadable(_ body: [UInt8]) -> Bool { message(in: body) != nil }

    private static func message(in body: [UInt8]) -> (JSONValue, String)? {
        guard let value = try? JSONValue(parsing: body), let message = value["message"]?.string, !message.isEmpty else {
            return nil
        }
        return (value, message)
    }
}
