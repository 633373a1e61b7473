import Foundation
import HostSystem
import TestKit
import Testing
import TradingCore

@Suite("A watched file")
struct WatchedFileTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path + "/file"
        try write("1")
    }

    private func write(_ text: String) throws { try Files.write(Array(text.utf8), to: path) }

    private func watch() throws -> WatchedFile<Int> {
        let path = path
        return try WatchedFile(path, bytesMax: 16) { content throws(WatchedFileProblem) in
            guard let number = Int(String(decoding: content, as: UTF8.self)) else {
                throw WatchedFileProblem("\(path) is no number")
            }
            return number
        }
    }

    @Test("means what it says now, and what it said before while it makes no sense")
    func changes() throws {
        let file = try watch()
        #expect(file.look() == .unchanged && file.meaning == 1)
        try write("2")
        #expect(file.look() == .changed && file.meaning == 2)
        try write("two")
        #expect(file.look() == .broken("\(path) is no number"))
        #expect(file.look() == .unchanged && file.meaning == 2)
        try write("3")
        #expect(file.look() == .changed && file.meaning == 3)
    }

    @Test("is read once what kept it from being read has passed, and that is said once")
    func hindrancesPass() throws {
        let file = try watch()
        let other = directory.path + "/other"
        try FileManager.default.moveItem(atPath: path, toPath: other)
        guard case .broken = file.look() else { throw TestFailure("a file that is gone is no news") }
        #expect(file.look() == .unchanged && file.meaning == 1)
        try Files.write(Array("4".utf8), to: other)
        try FileManager.default.moveItem(atPath: other, toPath: path)
        #expect(file.look() == .changed && file.meaning == 4)
    }

    @Test("is not taken from others, and not waited for")
    func others() throws {
        let file = try watch()
        try write("5")
        try Files.setMode(0o666, of: path)
        guard case .broken(let why) = file.look() else { throw TestFailure("others can write it") }
        #expect(why.contains("chmod go-w"))
        try Files.setMode(0o644, of: path)
        #expect(file.look() == .changed && file.meaning == 5)

        try Files.setMode(0o777, of: directory.path)
        try write("6")
        guard case .broken(let whose) = file.look() else { throw TestFailure("others can replace it") }
        #expect(whose.contains(directory.path))
        try Files.setMode(0o700, of: directory.path)
        #expect(file.look() == .changed && file.meaning == 6)

        _ = try Files.remove(path)
        #expect(mkfifo(path, 0o600) == 0)
        #expect(file.look() == .broken("\(path) is not a file"))
        #expect(file.meaning == 6)
    }
}
