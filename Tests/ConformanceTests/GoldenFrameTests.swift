import Conformance
import Foundation
import Testing

@Suite("Golden frames")
struct GoldenFrameTests {
    let unique = "0123456789ab"

    @Test("are in the program as they are in the repository")
    func embedded() throws {
        let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = try Data(contentsOf: repository.appendingPathComponent("deploy/contract/frames/frames.json"))
        #expect(try GoldenFrame.read(Array(file)) == GoldenFrame.embedded)
    }

    @Test("have names of their own")
    func names() {
        #expect(Set(GoldenFrame.embedded.map(\.name)).count == GoldenFrame.embedded.count)
    }

    private func body(_ name: String) throws -> [UInt8] {
        let frame = try #require(GoldenFrame.embedded.first { $0.name == name })
        return frame.steps[0].body.frame(unique: unique)
    }

    @Test("are filled to their length", arguments: [("largest", 65_536), ("too-large", 65_537)])
    func filled(name: String, count: Int) throws {
        let body = try body(name)
        #expect(body.count == count)
        #expect(!String(decoding: body, as: UTF8.self).contains("{fill}"))
    }

    @Test("carry the run's own letters")
    func ownLetters() throws {
        let text = String(decoding: try body("minimal-market-order"), as: UTF8.self)
        #expect(text.contains("\"\(unique)-minimal-market-order\""))
        #expect(!text.contains("{unique}"))
    }

    @Test("hold what is no UTF-8")
    func bytes() throws {
        #expect(try body("broken-utf8").contains(0xFF))
        #expect(try body("byte-order-mark").starts(with: [0xEF, 0xBB, 0xBF, UInt8(ascii: "{")]))
    }

    @Test(
        "are refused where the index is broken",
        arguments: [
            "", "{}", #"{"frames":[{}]}"#, #"{"frames":[{"name":"a","group":"b","says":"c","steps":[{}]}]}"#,
            #"{"frames":[{"name":"a","group":"b","says":"c","steps":[{"body":{"base64":"A"},"reply":{}}]}]}"#,
            #"{"frames":[{"name":"a","group":"b","says":"c","steps":[{"body":{"base64":"A*=="},"reply":{}}]}]}"#,
        ])
    func broken(index: String) {
        #expect(throws: GoldenFrame.Malformed.self) { try GoldenFrame.read(Array(index.utf8)) }
    }
}
