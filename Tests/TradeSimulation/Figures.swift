package import StrictJSON

/// What simulations have seen.
package struct Figures: Sendable, Equatable {
    package var seeds = 0
    package var accepted = 0
    package var posts = 0
    package var outcomes = 0
    package var results: [String: Int] = [:]
    package var resolutions: [String: Int] = [:]
    package var lives = 0
    package var deaths: [String: Int] = [:]
    /// Of simulated time.
    package var seconds = 0

    package init() {}

    package static func + (left: Figures, right: Figures) -> Figures {
        var sum = left
        sum.seeds += right.seeds
        sum.accepted += right.accepted
        sum.posts += right.posts
        sum.outcomes += right.outcomes
        sum.lives += right.lives
        sum.seconds += right.seconds
        sum.results.merge(right.results, uniquingKeysWith: +)
        sum.resolutions.merge(right.resolutions, uniquingKeysWith: +)
        sum.deaths.merge(right.deaths, uniquingKeysWith: +)
        return sum
    }

    // MARK: As JSON

    package var json: JSONValue {
        func counts(_ counts: [String: Int]) -> JSONValue {
            .object(counts.sorted { $0.key < $1.key }.map { .init($0.key, .number("\($0.value)")) })
        }
        return [
            "seeds": .number("\(seeds)"), "accepted": .number("\(accepted)"), "posts": .number("\(posts)"),
            "outcomes": .number("\(outcomes)"), "lives": .number("\(lives)"), "seconds": .number("\(seconds)"),
            "results": counts(results), "resolutions": counts(resolutions), "deaths": counts(deaths),
        ]
    }

    package init?(json: JSONValue) {
        func count(_ name: String) -> Int? { json[name]?.integer.map(Int.init) }
        func counts(_ name: String) -> [String: Int] {
            (json[name]?.members ?? []).reduce(into: [:]) { $0[$1.key] = $1.value.integer.map(Int.init) ?? 0 }
        }
        guard let seeds = count("seeds"), let accepted = count("accepted"), let posts = count("posts"),
            let outcomes = count("outcomes"), let lives = count("lives"), let seconds = count("seconds")
        else { return nil }
        (self.seeds, self.accepted, self.posts, self.outcomes) = (seeds, accepted, posts, outcomes)
        (self.lives, self.seconds) = (lives, seconds)
        (results, resolutions, deaths) = (counts("results"), counts("resolutions"), counts("deaths"))
    }

    // MARK: For a person

    package var lines: [String] {
        func list(_ counts: [String: Int]) -> String {
            counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        }
        return [
            "seeds           \(seeds)", "simulated time  \(seconds / 3600) hours",
            "decisions       \(accepted) accepted",
            "POSTs           \(posts)", "outcomes        \(outcomes)", "ends            \(list(results))",
            "lost attempts   \(list(resolutions))", "lives           \(lives): ended by \(list(deaths))",
        ]
    }
}
