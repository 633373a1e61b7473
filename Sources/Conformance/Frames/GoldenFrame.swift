import CGoldenFrames
package import StrictJSON
import TradingCore

/// An entry of deploy/contract/frames/frames.json: messages to the intake, and the answers that a worker owes.
package struct GoldenFrame: Equatable, Sendable {
    /// One frame before its placeholders are filled in.
    package struct Template: Equatable, Sendable {
        let bytes: [UInt8]
        /// The frame's length, where `{fill}` is to make it so long.
        let count: Int?

        /// The frame as it is sent.
        /// - Parameter unique: What `{unique}` stands for in this run.
        package func frame(unique: String) -> [UInt8] {
            let named = bytes.replacing("{unique}".utf8, with: unique.utf8)
            guard let count else { return named }
            let fill = repeatElement(UInt8(ascii: "x"), count: count - named.count + "{fill}".utf8.count)
            return named.replacing("{fill}".utf8, with: fill)
        }
    }

    package struct Step: Equatable, Sendable {
        package let envelope: [Template]
        package let body: Template
        /// Members that the answer has.
        package let reply: [JSONValue.Member]
        /// A part of the answer's `message`.
        package let messageContains: String?
        /// Members that are as in the answer to the first step.
        package let sameAsFirst: [String]
    }

    package let name: String
    package let group: String
    package let says: String
    /// Whether a worker that keeps the contract sends an order to the broker because of it.
    package let placesOrder: Bool
    package let steps: [Step]

    /// How many characters `{unique}` stands for.
    package static let uniqueCount = 12

    /// The frames that this program was built with.
    package static let embedded: [GoldenFrame] = {
        do throws(Malformed) {
            return try read(Array(UnsafeBufferPointer(start: golden_frames, count: golden_frames_count)))
        } catch {
            preconditionFailure("built from a broken index: \(error)")
        }
    }()

    /// What is wrong with an index.
    package struct Malformed: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Reads an index.
    package static func read(_ index: [UInt8]) throws(Malformed) -> [GoldenFrame] {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: index)
        } catch {
            throw Malformed(description: "the index is no JSON: \(error)")
        }
        guard let entries = value["frames"]?.array else { throw Malformed(description: "the index has no frames") }
        var frames: [GoldenFrame] = []
        for entry in entries { frames.append(try GoldenFrame(entry)) }
        return frames
    }

    private init(_ entry: JSONValue) throws(Malformed) {
        guard let name = entry["name"]?.string, let group = entry["group"]?.string, let says = entry["says"]?.string,
            let steps = entry["steps"]?.array
        else { throw Malformed(description: "an entry lacks a name, a group, a saying or steps: \(entry.text)") }
        self.name = name
        self.group = group
        self.says = says
        placesOrder = entry["places_order"]?.bool ?? false
        var read: [Step] = []
        for step in steps { read.append(try Step(step, of: name)) }
        self.steps = read
    }
}

extension GoldenFrame.Step {
    fileprivate init(_ step: JSONValue, of name: String) throws(GoldenFrame.Malformed) {
        guard let body = step["body"], let reply = step["reply"]?.members else {
            throw GoldenFrame.Malformed(description: "\(name): a step has a body and a reply")
        }
        var envelope: [GoldenFrame.Template] = []
        for frame in step["envelope"]?.array ?? [] { envelope.append(try GoldenFrame.Template(frame, of: name)) }
        self.envelope = envelope
        self.body = try GoldenFrame.Template(body, of: name)
        self.reply = reply
        messageContains = step["message_contains"]?.string
        sameAsFirst = (step["same_as_first"]?.array ?? []).compactMap(\.string)
    }
}

extension GoldenFrame.Template {
    fileprivate init(_ frame: JSONValue, of name: String) throws(GoldenFrame.Malformed) {
        if let text = frame["text"]?.string {
            bytes = Array(text.utf8)
        } else if let bytes = frame["base64"]?.string.flatMap(Base64.bytes) {
            self.bytes = bytes
        } else {
            throw GoldenFrame.Malformed(description: "\(name): a frame is text or base64: \(frame.text)")
        }
        count = frame["bytes"]?.integer.map(Int.init)
    }
}
