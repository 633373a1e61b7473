import Fuzzing
import Glibc

/// The reader under test, named by the environment: libFuzzer takes the arguments for its own.
private let reader: FuzzedReader = {
    guard let name = getenv("FUZZED_READER"), let reader = FuzzedReader(rawValue: String(cString: name)) else {
        let names = FuzzedReader.allCases.map(\.rawValue).joined(separator: ", ")
        fatalError("FUZZED_READER must be one of \(names)")
    }
    return reader
}()

/// What libFuzzer calls with every input it makes. A broken property traps, as a trap in a reader does.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try reader.check(Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        fatalError("\(reader.rawValue): \(error)")
    }
    return 0
}
