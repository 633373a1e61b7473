import Logging
import StrictJSON
import Testing
import TradeWorker
import TradingCore

@Suite("A line of the log")
struct LogLineTests {
    private let nasty = "a\nb\r\u{1b}[2J\u{202e}\u{0} \"quoted\" \\ é漢🙂"

    private func line(_ message: String, _ about: Logger.Metadata = [:]) -> LogLine {
        LogLine(at: Timestamp(nanoseconds: 1_700_000_000_123_456_000), level: .warning, message: message, about: about)
    }

    @Test("holds time, level, message and ids in a fixed order, and then what else there is by name")
    func order() throws {
        let about: Logger.Metadata = [
            "z": "1", "execution_id": "e", "a": "2", "client_order_id": "s:d", "strategy_name": "s", "decision_id": "d",
        ]
        #expect(
            String(decoding: line("hello", about).bytes(.text), as: UTF8.self)
                == """
                2023-11-14T22:13:20.123456Z warning: hello strategy_name=s decision_id=d client_order_id=s:d \
                execution_id=e a=2 z=1

                """)
        #expect(
            String(decoding: line("hello", about).bytes(.json), as: UTF8.self)
                == """
                {"at":"2023-11-14T22:13:20.123456Z","level":"warning","message":"hello","strategy_name":"s",\
                "decision_id":"d","client_order_id":"s:d","execution_id":"e","a":"2","z":"1"}

                """)
    }

    @Test("is one line, whatever stands in it; as text no terminal obeys it, as JSON nothing of it is lost")
    func oneLine() throws {
        let line = line(nasty, ["decision_id": "\(nasty)"])
        let text = line.bytes(.text)
        #expect(text.filter { $0 < 0x20 || $0 == 0x7F } == [0x0A])
        #expect(!String(decoding: text, as: UTF8.self).unicodeScalars.contains("\u{202e}"))
        let json = line.bytes(.json)
        #expect(json.filter { $0 < 0x20 } == [0x0A])
        let read = try JSONValue(parsing: json.dropLast())
        #expect(read["message"]?.string == nasty)
        #expect(read["decision_id"]?.string == nasty)
    }

    @Test("is not longer than a pipe takes in one piece, and is cut between characters")
    func length() throws {
        for letter in ["x", "é", "漢", "🙂"] {
            let long = String(repeating: letter, count: 5000)
            let about: Logger.Metadata = [
                "strategy_name": "\(long)", "decision_id": "\(long)", "client_order_id": "\(long)",
                "execution_id": "\(long)",
            ]
            let line = line(long, about)
            #expect(line.bytes(.text).count <= 4096)
            #expect(line.bytes(.json).count <= 4096)
            let message = try #require(try JSONValue(parsing: line.bytes(.json).dropLast())["message"]?.string)
            #expect(message.hasSuffix("…"))
            #expect(long.hasPrefix(message.dropLast()))
        }
    }
}
