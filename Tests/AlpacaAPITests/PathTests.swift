import AlpacaAPI
import Testing

@Suite("A value in a path")
struct PathTests {
    @Test("is percent-encoded, the colon of a client order id included")
    func encoded() {
        #expect(LookUpRequest.order(id: "a/b:c d").path == "/v2/orders/a%2Fb%3Ac%20d?nested=true")
    }
}
