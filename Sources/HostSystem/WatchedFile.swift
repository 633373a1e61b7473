import Glibc
package import TradingCore

/// Why a watched file makes no sense.
///
/// It stands outside of the file's own generic type: an error inside of it, thrown by a closure of its initializer, makes
/// the optimizer of Swift 6.3.1 fail.
package struct WatchedFileProblem: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// A file whose meaning is in force, and is read again when the file changes. An edit that makes no sense changes
/// nothing but what is said, and so does one that others than the worker's user and root can make.
package final class WatchedFile<Meaning>: WatchedText {
    package let path: String
    package private(set) var meaning: Meaning
    package private(set) var content: [UInt8]
    private let bytesMax: Int
    private let read: ([UInt8]) throws(WatchedFileProblem) -> Meaning
    /// The state of the file that was judged last.
    private var seen: TrustedFile.Version
    /// Why it could not be read when that was tried last.
    private var unreadable: String?

    /// Reads the file for the first time.
    /// - Parameters:
    ///   - bytesMax: The largest file that is read.
    ///   - read: Makes sense of its bytes.
    package init(
        _ path: String, bytesMax: Int, read: @escaping ([UInt8]) throws(WatchedFileProblem) -> Meaning
    ) throws(WatchedFileProblem) {
        self.path = path
        self.bytesMax = bytesMax
        self.read = read
        do throws(TrustedFile.Problem) {
            (content, seen) = try TrustedFile.read(path, bytesMax: bytesMax)
        } catch {
            throw WatchedFileProblem(error.description)
        }
        meaning = try read(content)
    }

    /// Looks whether the file is another than before, and reads it if so. Costs one system call when it is not. A file
    /// that cannot be read is tried again at the next look: what hinders it may pass.
    package func look() -> WatchedTextChange {
        guard TrustedFile.Version(of: path) != seen else { return .unchanged }
        let content: [UInt8]
        do throws(TrustedFile.Problem) {
            (content, seen) = try TrustedFile.read(path, bytesMax: bytesMax)
            unreadable = nil
        } catch {
            defer { unreadable = error.description }
            return unreadable == error.description ? .unchanged : .broken(error.description)
        }
        do throws(WatchedFileProblem) {
            meaning = try read(content)
            self.content = content
            return .changed
        } catch {
            return .broken(error.description)
        }
    }
}
