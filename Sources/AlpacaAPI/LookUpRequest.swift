package import TradingCore

/// A question to the broker about orders. It can only ask: all of these are GET.
/// Source: Alpaca, "Get All Orders", "Get Order by Client Order ID".
package enum LookUpRequest: Equatable, Sendable {
    case order(id: String)
    case orderByClientID(ClientOrderID)
    /// The orders of every status submitted after a moment, newest first.
    case ordersSubmitted(after: Timestamp)
    /// The orders that are open, newest first.
    case openOrders

    /// The most orders that one listing holds.
    package static let listingMax = 500

    package var path: String {
        switch self {
        case .order(let id):
            "/v2/orders/\(percentEncoded(id))?nested=true"
        case .orderByClientID(let id):
            "/v2/orders:by_client_order_id?client_order_id=\(percentEncoded(id.text))&nested=true"
        case .ordersSubmitted(let after):
            "/v2/orders?status=all&after=\(percentEncoded(after.text))&direction=desc&limit=500&nested=true"
        case .openOrders:
            "/v2/orders?status=open&direction=desc&limit=500&nested=true"
        }
    }
}

/// Escapes every byte but the unreserved ones of RFC 3986.
func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var result: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            result.append(byte)
        default:
            result.append(UInt8(ascii: "%"))
            result.append(digits[Int(byte >> 4)])
            result.append(digits[Int(byte & 15)])
        }
    }
    return String(decoding: result, as: UTF8.self)
}
