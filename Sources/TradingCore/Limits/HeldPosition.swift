/// What the account holds of one symbol.
package struct HeldPosition: Equatable, Sendable {
    package enum Direction: String, CaseIterable, Sendable {
        case long
        case short
    }

    package var direction: Direction
    /// What open orders do not take already; not below zero.
    package var quantityAvailable: ExactDecimal

    package init(direction: Direction, quantityAvailable: ExactDecimal) {
        self.direction = direction
        self.quantityAvailable = quantityAvailable
    }
}
