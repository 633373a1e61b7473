import Foundation
import StrictJSON
import Testing
import TradingCore

@Suite("A partition map")
struct PartitionMapTests {
    private static let places =
        #""p0":{"intake":"tcp://a:1","outcomes":"tcp://a:2"},"p1":{"intake":"tcp://b:1","outcomes":"tcp://b:2"}"#

    private func read(_ text: String) throws -> PartitionMap { try PartitionMapFile.read(Array(text.utf8)) }

    private func map(_ epoch: Int, _ more: String = "") throws -> PartitionMap {
        try read("{\"v\":1,\"epoch\":\(epoch)\(more),\"partitions\":{\(Self.places)},\"strategies\":{\"s\":\"p1\"}}")
    }

    private func name(_ text: String) throws -> StrategyName { try #require(StrategyName(text)) }

    @Test("says where a strategy belongs, and where those that it does not name do")
    func belongs() throws {
        let strict = try map(1)
        #expect(strict.partition(of: try name("s"))?.text == "p1")
        #expect(strict.partition(of: try name("t")) == nil)
        let open = try map(1, #","default":"p0""#)
        #expect(open.partition(of: try name("s"))?.text == "p1")
        #expect(open.partition(of: try name("t"))?.text == "p0")
        #expect(open.strategies(of: try #require(PartitionName("p1"))).map(\.text) == ["s"])
    }

    @Test("is written as it was read")
    func written() throws {
        let map = try map(7, #","default":"p0""#)
        #expect(try PartitionMapFile.read(Array(map.json.text.utf8)) == map)
    }

    @Test("takes the place of another with a higher epoch only, or where it says the same")
    func succession() throws {
        let seven = try map(7)
        #expect(try map(8).objection(after: seven) == nil)
        #expect(try map(7).objection(after: seven) == nil)
        #expect(try map(6).objection(after: seven) == .older(6, inForce: 7))
        #expect(try map(7, #","default":"p0""#).objection(after: seven) == .sameEpoch(7))
    }

    @Test(
        "that says what makes no sense is refused, and the problem says where",
        arguments: [
            (#"{"v":1"#, "no JSON"), (#"[]"#, "must be an object"), (#"{"v":2}"#, "v must be 1"),
            (#"{"v":1,"epoch":0}"#, "epoch must be"), (#"{"v":1,"epoch":"1"}"#, "epoch must be"),
            (#"{"v":1,"epoch":9007199254740992}"#, "epoch must be"),
            (#"{"v":1,"epoch":1,"strategy":{}}"#, "strategy is not known"),
            (#"{"v":1,"epoch":1,"partitions":{},"strategies":{}}"#, "at least one"),
            (#"{"v":1,"epoch":1,"partitions":{\#(places)}}"#, "strategies must be"),
            (#"{"v":1,"epoch":1,"partitions":{\#(places)},"strategies":{"s":"p2"}}"#, "strategies.s must be the name"),
            (#"{"v":1,"epoch":1,"partitions":{\#(places)},"strategies":{"s s":"p0"}}"#, "no strategy can have"),
            (
                #"{"v":1,"epoch":1,"default":"p2","partitions":{\#(places)},"strategies":{}}"#,
                "default must be the name"
            ),
            (
                #"{"v":1,"epoch":1,"default":null,"partitions":{\#(places)},"strategies":{}}"#,
                "default must be the name"
            ),
            (
                #"{"v":1,"epoch":1,"partitions":{"p":{"intake":"tcp://a:1","outcomes":"tcp://a:1"}},"strategies":{}}"#,
                "as is"
            ),
            (
                #"{"v":1,"epoch":1,"partitions":{"p":{"intake":"tcp://*:1","outcomes":"tcp://a:1"}},"strategies":{}}"#,
                "p.intake"
            ),
            (
                #"{"v":1,"epoch":1,"partitions":{"p":{"intake":"tcp://a","outcomes":"tcp://a:1"}},"strategies":{}}"#,
                "p.intake"
            ),
            (
                #"{"v":1,"epoch":1,"partitions":{"p":{"intake":"tcp://a:0","outcomes":"tcp://a:1"}},"strategies":{}}"#,
                "p.intake"
            ),
            (#"{"v":1,"epoch":1,"partitions":{"p":{"intake":"tcp://a:1"}},"strategies":{}}"#, "p.outcomes"),
            (
                #"{"v":1,"epoch":1,"partitions":{"p":{"intake":"tcp://a:1","outcomes":"tcp://a:2","server_key":"x"}},"strategies":{}}"#,
                "40 characters"
            ),
        ])
    func refused(_ text: String, _ words: String) throws {
        let problem = #expect(throws: PartitionMapFile.Problem.self) { try read(text) }
        #expect(problem?.description.contains(words) == true, "\(problem?.description ?? "")")
    }
}
