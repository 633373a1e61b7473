/// What the database holds of one decision when a worker starts.
package struct StoredState: Hashable, Sendable {
    /// Nil where the decision is not there at all.
    package var decision: DecisionStatus?
    /// Nil where no attempt was begun.
    package var certainty: Certainty?

    package init(_ decision: DecisionStatus?, _ certainty: Certainty?) {
        self.decision = decision
        self.certainty = certainty
    }

    package static let nothing = StoredState(nil, nil)
    package static let waiting = StoredState(.pending, nil)
    package static let sending = StoredState(.executing, .sending)
    package static let unknown = StoredState(.executing, .unknown)
    package static let followed = StoredState(.executing, .answered)
    package static let executed = StoredState(.executed, .answered)
    package static let failed = StoredState(.failed, .answered)
    package static let notSent = StoredState(.failed, .notSent)
    package static let refused = StoredState(.failed, nil)
}

/// What a starting worker does with a decision, whatever became of the process before it.
package enum RestartVerdict: String, CaseIterable, Sendable {
    /// Nothing is known of it: its publisher, who has no acknowledgement, sends it again.
    case forgotten
    /// It was never sent: it waits for its turn. If it is to be refused, it is looked up first.
    case takesItsTurn
    /// It may have been sent: it is unknown from now on, looked for, and never sent again.
    case becomesUnknown
    /// It is unknown since before: it goes on being looked for.
    case isLookedFor
    /// The broker has its order, which has not ended: it goes on being followed.
    case isFollowed
    /// It has ended, and its last outcome is stored.
    case isOver
    /// No version of this program writes such a pair. Nothing is done before a person has looked.
    case contradiction
}

extension RestartVerdict {
    /// Recovery, whole: the one place that says what a restart makes of what it finds. Whatever may have reached the
    /// broker is never sent again.
    package init(_ stored: StoredState) {
        switch (stored.decision, stored.certainty) {
        case (nil, nil): self = .forgotten
        case (.pending, nil): self = .takesItsTurn
        case (.executing, .sending): self = .becomesUnknown
        case (.executing, .unknown): self = .isLookedFor
        case (.executing, .answered): self = .isFollowed
        case (.executed, .answered): self = .isOver
        case (.failed, .answered), (.failed, .notSent), (.failed, nil): self = .isOver
        case (nil, .some), (.pending, .some), (.executing, nil), (.executing, .notSent), (.executed, nil),
            (.executed, .sending), (.executed, .notSent), (.executed, .unknown), (.failed, .sending),
            (.failed, .unknown):
            self = .contradiction
        }
    }
}
