import AlpacaSimulator
import Testing

@Suite("A simulated Alpaca")
struct SimulatorTests {
    @Test("serves on a free port and stops")
    func startsAndStops() async throws {
        let simulator = try await SimulatedAlpaca.start()
        #expect(simulator.port > 0)
        await simulator.stop()
    }
}
