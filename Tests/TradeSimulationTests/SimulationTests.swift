import Testing
import TradeSimulation

@Suite("A simulated world", .timeLimit(.minutes(20)))
struct SimulationTests {
    @Test(
        "in which everything goes wrong leaves nothing lost, nothing twice and nothing told wrongly", arguments: 1...6)
    func holds(_ seed: Int) {
        let (figures, violation) = Simulation(seed: UInt64(seed), decisions: 30).run()
        #expect(violation == nil, "trade-simulation --seed \(seed) --decisions 30")
        #expect(figures.accepted > 0 && figures.outcomes > 0)
    }

    @Test("is the same whenever its seed is")
    func repeats() {
        let first = Simulation(seed: 4, decisions: 30).run().figures
        #expect(Simulation(seed: 4, decisions: 30).run().figures == first)
    }

    @Test(
        "with a bug planted into what surrounds the worker is found out, by the invariant that the bug breaks",
        arguments: PlantedBug.allCases)
    func isFoundOut(_ bug: PlantedBug) {
        for seed in 1...200 as ClosedRange<UInt64> {
            guard let violation = Simulation(seed: seed, decisions: 30, bug: bug).run().violation else { continue }
            #expect(bug.breaks.contains(violation.invariant), "seed \(seed): \(violation)")
            return
        }
        Issue.record("\(bug.rawValue) was not found in 200 seeds")
    }

    @Test("has a bug planted for every invariant")
    func covers() {
        #expect(
            PlantedBug.allCases.reduce(into: Set<Invariant>()) { $0.formUnion($1.breaks) } == Set(Invariant.allCases))
    }
}
