/// The memory that a statement's values stand in until it has run, used again for each run: SQLite would ask for a piece
/// of its own for every value.
final class BoundValues {
    private var block = BoundValues.smallBlock()
    private var used = 0
    /// Blocks that were too small, and that values bound before still stand in.
    private var outgrown: [UnsafeMutableRawBufferPointer] = []

    deinit {
        forget()
        block.deallocate()
    }

    /// Keeps a copy until `forget()`. It has an address even if it is empty.
    func keep(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawPointer {
        if block.count - used < bytes.count {
            outgrown.append(block)
            block = .allocate(byteCount: max(2 * block.count, bytes.count), alignment: 8)
            used = 0
        }
        let copy = UnsafeMutableRawBufferPointer(rebasing: block[used..<used + bytes.count])
        copy.copyMemory(from: bytes)
        used += bytes.count
        guard let address = UnsafeRawPointer(copy.baseAddress ?? block.baseAddress) else {
            preconditionFailure("a block is never empty")
        }
        return address
    }

    func forget() {
        for old in outgrown { old.deallocate() }
        outgrown.removeAll()
        used = 0
        // An answer may have been of 16 MiB, once.
        if block.count > BoundValues.keptMax {
            block.deallocate()
            block = BoundValues.smallBlock()
        }
    }

    private static let keptMax = 64 << 10

    private static func smallBlock() -> UnsafeMutableRawBufferPointer { .allocate(byteCount: 1024, alignment: 8) }
}
