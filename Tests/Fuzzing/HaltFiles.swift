import StrictJSON
import TradingCore

/// A halt file's content, or its name: whatever is in it, it halts, and what is written of a halt reads the same.
func checkHaltFile(_ bytes: [UInt8]) throws {
    let halt = Halt(.all, fileContent: bytes)
    try expect(halt == Halt(.all, fileContent: bytes), "the same file means the same")
    try expect(halt.scope == .all, "what is in a file does not change whom it halts")
    let json = tree(bytes)
    if json?.members == nil {
        let isBlank = String(decoding: bytes, as: UTF8.self).utf8.allSatisfy { " \t\n\u{B}\u{C}\r".utf8.contains($0) }
        try expect(halt.hold == !isBlank, "decisions wait where nobody can tell whether they should")
    } else {
        let saysNo = json?["hold"] == nil || json?["hold"] == false || json?["hold"] == .null
        try expect(halt.hold == !saysNo, "decisions wait unless the file says that they are refused")
        try expect(isSameText(halt.reason, json?["reason"]?.string), "a reason is kept")
    }
    try expect(isSameText(halt.by, json?["by"]?.string), "a name is kept")

    let again = Halt(.all, fileContent: Array((halt.json.text + "\n").utf8))
    try expect(again.hold == halt.hold && isSameText(again.reason, halt.reason), "what is written reads the same")
    try expect(isSameText(again.by, halt.by), "what is written reads the same")
    try expect(again.at?.text == halt.at?.text, "a time that is written reads the same")
    if let time = halt.at { try checkStorable(time) }

    try checkHistory(Array(bytes.prefix(HaltHistoryPage.bytesMax)))
    let name = String(decoding: bytes, as: UTF8.self)
    if let scope = Halt.scope(fileName: name) {
        try expect(isSameText(Halt.fileName(scope), name), "a halt is found under the name of its file")
        try expect(!name.contains("/"), "a halt is in its own folder")
    }
}

/// The same bytes as a history of halts: an entry reads as it would be written, and who reads on misses and repeats none.
private func checkHistory(_ bytes: [UInt8]) throws {
    let page = HaltHistoryPage(bytes, from: 0)
    try expect(page.end <= Int64(bytes.count), "no more is read than there is")
    for entry in page.entries {
        guard let event = entry.event else { continue }
        let again = HaltEvent(line: Array(event.json.text.utf8))
        // What is written of a time is cut to microseconds.
        try expect(again?.at.text == event.at.text && again?.scope == event.scope, "what is written reads the same")
        try expect(again?.action == event.action && again?.hold == event.hold, "what is written reads the same")
        try expect(isSameText(again?.reason, event.reason), "what is written reads the same")
        try checkStorable(event.at)
    }
    let half = HaltHistoryPage(Array(bytes[..<(bytes.count / 2)]), from: 0)
    let rest = HaltHistoryPage(Array(bytes[Int(half.end)...]), from: half.end)
    try expect(half.entries + rest.entries == page.entries && rest.end == page.end, "reading on is reading at once")
}
