import StrictJSON
import Testing
import TradingCore

private let aliceKey = "<5=abR}TaLqH*C]sJdvcD4O&aPtbg1*hp^9-nK>q"
private let monitorKey = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"

@Suite("The list of allowed keys")
struct KeyListTests {
    private func list(_ entries: String...) throws(KeyList.Problem) -> KeyList {
        try KeyList(parsing: Array("{\"v\":1,\"keys\":[\(entries.joined(separator: ","))]}".utf8))
    }

    private func entry(
        _ name: String, _ key: String = aliceKey, roles: String = #"["trade","read"]"#, strategies: String? = #"["s"]"#
    ) -> String {
        let strategies = strategies.map { #","strategies":\#($0)"# } ?? ""
        return #"{"name":"\#(name)","public_key":"\#(key)","roles":\#(roles)\#(strategies)}"#
    }

    @Test("says of each key who it is, and for what")
    func reading() throws {
        let list = try list(
            entry("alice", strategies: #"["one","two"]"#), entry("m", monitorKey, roles: #"["read"]"#, strategies: nil))
        let alice = try #require(CurveKey(aliceKey).flatMap { list[$0] })
        #expect(alice.name.text == "alice" && alice.roles == [.trade, .read])
        #expect(alice.strategies.text == "one, two")
        let monitor = try #require(CurveKey(monitorKey).flatMap { list[$0] })
        #expect(monitor.roles == [.read])
        #expect(StrategyName("one").map(monitor.strategies.contains) == false)
    }

    @Test("reads again what it writes")
    func writing() throws {
        let list = try list(entry("alice", strategies: #"["*"]"#), entry("m", monitorKey))
        #expect(try KeyList(parsing: Array(list.text.utf8)) == list)
        #expect(try KeyList(parsing: Array(KeyList().text.utf8)) == KeyList())
    }

    @Test("has no name and no key twice, whoever changes it")
    func replacing() throws {
        var list = try list(entry("alice"), entry("m", monitorKey))
        let name = try #require(KeyName("m"))
        let key = try #require(CurveKey(aliceKey))
        list.allow(AllowedKey(name: name, publicKey: key, roles: [.read], strategies: .only([])))
        #expect(list.keys.count == 1)
        let revoked = list.revoke(name)
        let again = list.revoke(name)
        #expect(revoked && !again && list.keys.isEmpty)
    }

    @Test(
        "that is misspelt is none, and says where",
        arguments: [
            ("", "one JSON object"), ("[]", "the file must be an object"),
            (#"{"v":2,"keys":[]}"#, "v must be 1"), (#"{"v":1}"#, "keys must be an array"),
            (#"{"v":1,"keys":[],"key":[]}"#, "no member key"), (#"{"v":1,"keys":[],"keys":[]}"#, "keys"),
            (#"{"v":1,"keys":["alice"]}"#, "keys[0] must be an object"),
            (#"{"v":1,"keys":[{"name":".x"}]}"#, "keys[0].name"),
            (#"{"v":1,"keys":[{"name":"x","public_key":"short"}]}"#, "public_key of x"),
        ])
    func broken(_ text: String, _ words: String) throws {
        let problem = #expect(throws: KeyList.Problem.self) { try KeyList(parsing: Array(text.utf8)) }
        #expect(problem?.description.contains(words) == true, "\(problem?.description ?? "")")
    }

    @Test(
        "takes no role, strategy or member that it does not know",
        arguments: [
            #"["admin"]"#, "[]", #""trade""#, #"["trade","Read"]"#, "[1]", "null",
        ])
    func unknownRoles(_ roles: String) {
        #expect(throws: KeyList.Problem.self) { try list(entry("alice", roles: roles)) }
    }

    @Test(
        "takes strategies with the role trade, and only with it",
        arguments: [nil, "[]", #"["*","s"]"#, #"["a b"]"#, #""s""#, "[null]", "null"] as [String?])
    func strategies(_ strategies: String?) {
        #expect(throws: KeyList.Problem.self) { try list(entry("alice", strategies: strategies)) }
        #expect(throws: KeyList.Problem.self) { try list(entry("alice", roles: #"["read"]"#)) }
        #expect(throws: KeyList.Problem.self) { try list(entry("alice"), entry("alice", monitorKey)) }
        #expect(throws: KeyList.Problem.self) { try list(entry("alice"), entry("bob")) }
    }
}

@Suite("A sender's rights")
struct RightsTests {
    private func rights(_ roles: Set<AllowedKey.Role>, _ strategies: AllowedKey.Strategies) throws -> Rights {
        .key(
            AllowedKey(
                name: try #require(KeyName("alice")), publicKey: try #require(CurveKey(aliceKey)), roles: roles,
                strategies: strategies))
    }

    /// What the sender may do, of everything that can be asked.
    private func allowed(_ rights: Rights) throws -> [String] {
        let requests: [(String, [UInt8])] = [
            ("decide mine", frame(["strategy_name": "\"mine\""])),
            ("decide other", frame(["strategy_name": "\"other\""])),
            ("replay mine", Array(#"{"v":1,"type":"replay","after":0,"strategy_name":"mine"}"#.utf8)),
            ("replay other", Array(#"{"v":1,"type":"replay","after":0,"strategy_name":"other"}"#.utf8)),
            ("replay all", Array(#"{"v":1,"type":"replay","after":0}"#.utf8)),
            (
                "reconcile mine",
                Array(#"{"v":1,"type":"reconcile","strategy_name":"mine","decision_id":"d"}"#.utf8)
            ),
            (
                "reconcile other",
                Array(#"{"v":1,"type":"reconcile","strategy_name":"other","decision_id":"d"}"#.utf8)
            ),
            ("reconcile all", Array(#"{"v":1,"type":"reconcile"}"#.utf8)),
            ("status", Array(#"{"v":1,"type":"status"}"#.utf8)),
            ("ping", Array(#"{"v":1,"type":"ping"}"#.utf8)),
        ]
        return try requests.compactMap { name, body in
            let read = RequestFrame.read(body)
            let asked = try read.get()
            switch rights.allow(read) {
            case .success(let request):
                #expect(request == asked)
                return name
            case .failure(let refused):
                #expect(refused.refusal.code == .notAuthorised && !refused.refusal.retry)
                return nil
            }
        }
    }

    @Test("are those of its roles and strategies, and no more")
    func roles() throws {
        let mine = AllowedKey.Strategies.only([try #require(StrategyName("mine"))])
        let everything = try allowed(.unlimited)
        #expect(everything.count == 10)
        #expect(try allowed(.none) == [])
        #expect(
            try allowed(rights([.read], .only([]))) == [
                "replay mine", "replay other", "replay all", "status", "ping",
            ])
        #expect(try allowed(rights([.trade], mine)) == ["decide mine", "replay mine", "reconcile mine", "ping"])
        #expect(
            try allowed(rights([.trade, .read], mine)) == [
                "decide mine", "replay mine", "replay other", "replay all", "reconcile mine", "status", "ping",
            ])
        #expect(
            try allowed(rights([.trade], .all)) == [
                "decide mine", "decide other", "replay mine", "replay other", "reconcile mine", "reconcile other",
                "reconcile all", "ping",
            ])
        #expect(try allowed(rights([.trade, .read], .all)) == everything)
    }

    @Test("that are none hide even what is wrong with a message, and name the decision")
    func none() throws {
        let read = RequestFrame.read(frame(["quantity": "0.5"]))
        guard case .failure(let refused) = Rights.none.allow(read) else { throw Unexpected(what: "taken") }
        #expect(refused.refusal.code == .notAuthorised)
        #expect(refused.decisionID == "d-17" && refused.strategyName == "mean-rev")
    }
}

@Suite("A key file")
struct KeyCertificateTests {
    private let secret = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
    private let open = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

    @Test("is read as czmq and pyzmq write it, quoted or not, with any indent")
    func forms() throws {
        let texts = [
            "#   ****  Generated\n\nmetadata\ncurve\n    public-key = \"\(open)\"\n    secret-key = \"\(secret)\"\n",
            "metadata\n    name = \"x # y\"\ncurve\n\tpublic-key=\(open)\r\n  secret-key = '\(secret)'",
            "curve\npublic-key = \(open)\n# secret-key = \"broken\nsecret-key = \(secret)   \n",
        ]
        for text in texts {
            let certificate = try KeyCertificate(parsing: Array(text.utf8))
            #expect(certificate.publicKey.text == open && certificate.secretKey?.text == secret)
        }
    }

    @Test("reads again what it writes")
    func writing() throws {
        let name = try #require(KeyName("alice"))
        for secretKey in [nil, CurveKey(secret)] {
            let certificate = KeyCertificate(publicKey: try #require(CurveKey(open)), secretKey: secretKey)
            #expect(try KeyCertificate(parsing: Array(certificate.text(name: name).utf8)) == certificate)
        }
    }

    @Test(
        "that is broken says so without a word of what is in it",
        arguments: [
            "", "curve\n", "public-key = short-and-sweet", "public-key = \"\(String(repeating: "~", count: 40))\"",
            "secret-key = not-to-be-told", "public-key = \(aliceKey)\npublic-key = \(aliceKey)",
        ])
    func broken(_ text: String) {
        let problem = #expect(throws: KeyCertificate.Problem.self) { try KeyCertificate(parsing: Array(text.utf8)) }
        for word in ["short-and-sweet", "not-to-be-told", "~~~", aliceKey] {
            #expect(problem?.description.contains(word) == false)
        }
    }
}

@Suite("The log of those that are turned away")
struct StrangerLogTests {
    @Test("names so many a minute, and counts the rest")
    func bounded() {
        var log = StrangerLog()
        func lines(_ second: Int64) -> [String] {
            log.lines(for: "at \(second)", at: MonotonicTime(microseconds: second * 1_000_000))
        }
        let named = (0..<50).flatMap { _ in lines(1) }
        #expect(named.count == StrangerLog.linesPerMinute)
        #expect(lines(60) == [])
        #expect(lines(61) == ["31 more were turned away, and are not named", "at 61"])
        #expect(lines(121) == ["at 121"])
    }
}
