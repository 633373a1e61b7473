/// Indices of orders in ascending order, which is their order of creation. Orders come at the end; one that ended is
/// found by halving, so that thousands of others cost next to nothing.
struct OrderIndices: Sendable {
    private(set) var sorted: [Int] = []

    mutating func insert(_ index: Int) {
        if let last = sorted.last, last >= index {
            let place = position(of: index)
            if sorted[place] != index { sorted.insert(index, at: place) }
        } else {
            sorted.append(index)
        }
    }

    mutating func remove(_ index: Int) {
        let place = position(of: index)
        if place < sorted.count, sorted[place] == index { sorted.remove(at: place) }
    }

    /// Where the index stands, or would stand.
    private func position(of index: Int) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < index { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
