import HostSystem

/// A file of the kernel's with lines `name: number unit`.
struct KernelFields {
    private let text: String

    init(_ text: String) { self.text = text }

    func number(_ name: String) throws(BenchmarkFailure) -> Int64 {
        for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
            let words = line.dropFirst(name.count + 1).split { $0 == " " || $0 == "\t" }
            if let word = words.first, let number = Int64(word) { return number }
        }
        throw BenchmarkFailure("the kernel says nothing of \(name)")
    }
}

/// What the kernel says in one of its files.
func kernelText(_ path: String) throws(BenchmarkFailure) -> String {
    do {
        return String(decoding: try Files.read(path, bytesMax: 1 << 20), as: UTF8.self)
    } catch {
        throw BenchmarkFailure("\(error)")
    }
}

/// What the kernel lists in one of its directories.
func kernelNames(in path: String) throws(BenchmarkFailure) -> [String] {
    do {
        return try Files.names(in: path)
    } catch {
        throw BenchmarkFailure("\(error)")
    }
}
