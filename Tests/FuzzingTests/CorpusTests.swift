import Foundation
import Fuzzing
import Testing

@Suite("What reads bytes from outside")
struct CorpusTests {
    /// The inputs of one reader: what fuzzing found to be different from each other, and what once went wrong.
    private func corpus(of reader: FuzzedReader) throws -> [URL] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fuzzing/Corpus/\(reader.rawValue)")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    }

    @Test("holds what must be true of it for every input of its corpus", arguments: FuzzedReader.allCases)
    func holds(_ reader: FuzzedReader) throws {
        let files = try corpus(of: reader)
        #expect(!files.isEmpty)
        for file in files {
            do {
                try reader.check(Array(Data(contentsOf: file)))
            } catch {
                Issue.record("\(file.lastPathComponent): \(error)")
            }
        }
    }
}
