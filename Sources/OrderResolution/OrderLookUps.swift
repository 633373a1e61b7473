package import AlpacaAPI

/// The line on which the broker is asked. It cannot place anything.
package protocol OrderLookUps {
    /// Begins to ask; one question at a time.
    func get(path: String) throws(EdgeFault)
    /// What the question came to, once it has ended.
    func takeResult() -> HTTPExchangeResult?
}

/// An edge of the worker failed in a way it cannot go on from: what was being done, and why it failed.
package struct EdgeFault: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
