package import StrictJSON

/// An entry of the record of halts: who has begun or ended one, when, and why.
package struct HaltEvent: Equatable, Sendable {
    package enum Action: String, CaseIterable, Sendable {
        case halted
        case resumed
    }

    package let at: Timestamp
    package let action: Action
    package let scope: Halt.Scope
    /// Of a halt: whether waiting decisions wait.
    package let hold: Bool
    package let reason: String?
    /// Who; nil where nobody has said so: the worker found a halt's file made or gone.
    package let by: String?

    package init(
        _ action: Action, _ scope: Halt.Scope, hold: Bool = false, reason: String?, by: String?, at: Timestamp
    ) {
        self.at = at
        self.action = action
        self.scope = scope
        self.hold = hold
        self.reason = reason.map(HaltEvent.clipped)
        self.by = by.map(HaltEvent.clipped)
    }

    /// As much of a text as is kept: who reads a halt or its line must find the end of it.
    package static func clipped(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(1000)))
    }

    /// What the beginning of a halt is recorded as.
    package init(_ halt: Halt, at time: Timestamp) {
        self.init(.halted, halt.scope, hold: halt.hold, reason: halt.reason, by: halt.by, at: time)
    }

    /// Its line in the history, without the line's end.
    package var json: JSONValue {
        [
            "at": .string(at.text), "action": .string(action.rawValue), "scope": .string(Halt.fileName(scope)),
            "hold": .bool(hold), "reason": reason.map { .string($0) } ?? .null, "by": by.map { .string($0) } ?? .null,
        ]
    }

    /// Reads a line of the history; nil where it makes no sense. Members that are not known are passed over.
    package init?(line: some Collection<UInt8>) {
        guard let value = try? JSONValue(parsing: line, depthLimit: 4),
            let at = value["at"]?.string.flatMap(Timestamp.init),
            let action = value["action"]?.string.flatMap(Action.init),
            let scope = value["scope"]?.string.flatMap(Halt.scope(fileName:))
        else { return nil }
        self.init(
            action, scope, hold: value["hold"]?.bool ?? false, reason: value["reason"]?.string,
            by: value["by"]?.string, at: at)
    }
}

/// Some lines of the history of halts, as they stand in its file.
package struct HaltHistoryPage: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        /// Nil where the line makes no sense.
        package let event: HaltEvent?
        /// The position after the line's end, in bytes from the beginning of the file.
        package let end: Int64

        package init(event: HaltEvent?, end: Int64) {
            self.event = event
            self.end = end
        }
    }

    package let entries: [Entry]
    /// Up to where the file has been read.
    package let end: Int64

    /// The longest line that is read, in bytes; a longer one makes no sense.
    package static let bytesMax = 1 << 16

    /// A last line without its end is left for later: it may be on its way.
    /// - Parameters:
    ///   - bytes: At most `bytesMax`.
    ///   - start: Their position in the file.
    package init(_ bytes: [UInt8], from start: Int64) {
        precondition(bytes.count <= HaltHistoryPage.bytesMax, "a page is read at a time")
        var entries: [Entry] = []
        var lineStart = 0
        while let newline = bytes[lineStart...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = bytes[lineStart..<newline]
            lineStart = newline + 1
            // Who finds half a line of somebody else's ends it first, so empty lines are nobody's.
            if !line.isEmpty { entries.append(Entry(event: HaltEvent(line: line), end: start + Int64(lineStart))) }
        }
        self.entries = entries
        end = start + Int64(lineStart)
    }

    /// A line that is longer than `bytesMax`.
    /// - Parameter end: The position after its end.
    package init(overlongLineTo end: Int64) {
        entries = [Entry(event: nil, end: end)]
        self.end = end
    }

    /// All that is on record from a position on.
    ///
    /// Reading goes on only while it leads forward. It may lead back once, where the file is another one than before.
    /// - Parameter read: Gives the next page from a position on; nil where there is none.
    package static func events<Failure: Error>(
        from position: Int64, reading read: (Int64) throws(Failure) -> HaltHistoryPage?
    ) throws(Failure) -> [HaltEvent] {
        var events: [HaltEvent] = []
        var position = position
        var hasStartedOver = false
        while let page = try read(position) {
            if page.end <= position {
                if hasStartedOver { break }
                hasStartedOver = true
            }
            events += page.entries.compactMap(\.event)
            position = page.end
        }
        return events
    }
}
