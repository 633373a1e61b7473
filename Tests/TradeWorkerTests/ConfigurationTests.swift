import AlpacaAPI
import Testing
import TradeWorker
import TradingCore

@Suite("The configuration")
struct ConfigurationTests {
    private let home = ["HOME": "/home/x"]
    private let keys = ["HOME": "/home/x", "APCA_API_KEY_ID": "PK1", "APCA_API_SECRET_KEY": "s3cret"]

    private func file(_ text: String) throws -> ConfigurationFile {
        try ConfigurationFile(path: "/etc/t.conf", content: Array(text.utf8))
    }

    @Test("with an account's two variables is complete, and trades on paper")
    func defaults() throws {
        let configuration = try Configuration(flags: [:], environment: keys, file: nil)
        #expect(configuration.brokerURL.text == "https://paper-api.alpaca.markets")
        #expect(configuration.intake == "tcp://127.0.0.1:5555")
        #expect(configuration.outcomes == "tcp://127.0.0.1:5556")
        #expect(configuration.worker.partition.text == "p0")
        #expect(configuration.stateDirectory == "/home/x/.local/state/trade-executor/p0")
        #expect(configuration.worker.requestsPerMinute == 200)
        #expect(configuration.worker.maxAge == .seconds(300))
        #expect(configuration.worker.settleTime == .seconds(30))
    }

    @Test("takes flags before the environment, that before the file, and that before defaults")
    func layers() throws {
        let file = try file("partition = file\nmax_age_s = 7\nqueue_max = 9\n# a comment\n\n")
        let environment = keys.merging(["TRADE_EXECUTOR_PARTITION": "env", "TRADE_EXECUTOR_MAX_AGE_S": "8"]) { $1 }
        let configuration = try Configuration(flags: [.partition: "flag"], environment: environment, file: file)
        #expect(configuration.worker.partition.text == "flag")
        #expect(configuration.worker.maxAge == .seconds(8))
        #expect(configuration.worker.queueMax == 9)
    }

    @Test("needs no credentials and no pacing for a simulator on this machine")
    func simulator() throws {
        let configuration = try Configuration(
            flags: [.brokerURL: "http://127.0.0.1:8080/"], environment: home, file: nil)
        #expect(configuration.worker.requestsPerMinute == nil)
        #expect(configuration.brokerURL.text == "http://127.0.0.1:8080")
    }

    @Test("never shows the secret, in no way of printing it")
    func secret() throws {
        let configuration = try Configuration(flags: [:], environment: keys, file: nil)
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("s3cret") && !text.contains("PK1"))
        }
    }

    @Test("takes credentials from the first place that holds any, and says from where")
    func credentials() throws {
        let configured = try file("api_key_id = c\napi_secret_key = d\n")
        let service = FoundCredentials(.serviceDirectory("/run/c"), keyID: "e", secretKey: "f")
        let own = try FoundCredentials(
            path: "/etc/k", content: Array("# ours\napi_secret_key = h\napi_key_id = g".utf8))
        let none = FoundCredentials(.serviceDirectory("/run/c"), keyID: nil, secretKey: "")
        func source(
            _ environment: [String: String], _ found: [FoundCredentials], _ file: ConfigurationFile? = nil
        ) throws -> CredentialsSource {
            try Configuration(flags: [:], environment: environment, file: file, credentialFiles: found)
                .credentialsSource
        }
        #expect(try source(keys, [service, own], configured) == .environment)
        #expect(try source(home, [service, own], configured) == .serviceDirectory("/run/c"))
        #expect(try source(home, [none, own], configured) == .file("/etc/k"))
        #expect(try source(home, [none], configured) == .configurationFile("/etc/t.conf"))
        let half = #expect(throws: Configuration.Problem.self) {
            try source(home, [FoundCredentials(.file("/etc/k"), keyID: "g", secretKey: nil)], configured)
        }
        #expect(half?.description == "/etc/k holds half of the account's credentials; api_secret_key is missing there")
        var dumped = "\(own) \(String(reflecting: own))"
        dump(own, to: &dumped)
        #expect(!dumped.contains("g") && !dumped.contains("h"))
    }

    @Test(
        "of a file of credentials never quotes it",
        arguments: ["k = s3cret", "s3cret", "s3cret = s3cret", "partition = s3cret"])
    func brokenCredentials(_ text: String) {
        let problem = #expect(throws: Configuration.Problem.self) {
            try FoundCredentials(path: "/etc/k", content: Array(text.utf8))
        }
        #expect(problem?.description.hasPrefix("/etc/k, line 1: ") == true)
        #expect(problem?.description.contains("s3cret") == false)
    }

    @Test("halts by itself only where it is asked to")
    func automaticHalt() throws {
        #expect(try Configuration(flags: [:], environment: keys, file: nil).worker.automaticHalt.isOff)
        let flags: [Setting: String] = [.haltAfterErrors: "3", .haltOverUnknown: "2", .haltHolds: "true"]
        let worker = try Configuration(flags: flags, environment: keys, file: nil).worker
        #expect(worker.automaticHalt == AutomaticHalt.Thresholds(errorsInARow: 3, unknown: 2))
        #expect(worker.haltHolds)
    }

    @Test(
        "that is wrong says which setting, where it stands, and what it should be",
        arguments: [
            ([Setting.intake: "tcp://0.0.0.0:5555"], "--intake must be tcp://127.0.0.1:PORT"),
            ([.intake: "tcp://*:5555"], "--intake must be"),
            ([.intake: "tcp://127.example.com:5555"], "--intake must be"),
            ([.outcomes: "tcp://[::1]:5555.example.com:5556"], "--outcomes must be"),
            ([.pullIntake: "tcp://localhost:5555:5556"], "--pull-intake must be"),
            ([.brokerURL: "http://api.alpaca.markets"], "--broker-url http://api.alpaca.markets is not encrypted"),
            ([.brokerURL: "https://api.alpaca.markets/v2"], "without a path"),
            ([.brokerURL: "https://user:pw@host"], "must be a host"),
            ([.partition: "a b"], "--partition must be 1 to 48"),
            ([.maxAge: "soon"], "--max-age-s must be a whole number from 1"),
            ([.onUnknown: "panic"], "--on-unknown must be continue or hold-strategy"),
            ([.logLevel: "loud"], "--log-level must be"),
            ([.logFormat: "xml"], "--log-format must be text or json"),
            ([.haltAfterErrors: "-1"], "--halt-after-errors must be a whole number from 0"),
            ([.haltHolds: "yes"], "--halt-holds must be true or false"),
            (
                [.requestsPerMinute: "1", .limits: "l.json"],
                "--requests-per-minute must be 0, or 2 or more, where limits"
            ),
        ])
    func problems(_ flags: [Setting: String], _ words: String) {
        let problem = #expect(throws: Configuration.Problem.self) {
            try Configuration(flags: flags, environment: keys, file: nil)
        }
        #expect(problem?.description.contains(words) == true, "\(problem?.description ?? "")")
    }

    @Test("of one request a minute is enough where no limits ask the broker, and two are where they do")
    func fewRequests() throws {
        let one = try Configuration(flags: [.requestsPerMinute: "1"], environment: keys, file: nil)
        #expect(one.worker.requestsPerMinute == 1)
        for number in [0, 2] {
            let flags: [Setting: String] = [.requestsPerMinute: "\(number)", .limits: "l.json"]
            let worker = try Configuration(flags: flags, environment: keys, file: nil).worker
            #expect(worker.requestsPerMinute ?? 0 == number)
        }
    }

    @Test("file may end its lines as Windows does, and a comment ends where its line does")
    func carriageReturns() throws {
        let file = try file("# ours\r\npartition = a\r\nqueue_max = 9\r\n")
        #expect(file.values == [.partition: "a", .queueMax: "9"])
    }

    @Test(
        "file is read line by line, and its first mistake is named",
        arguments: [
            ("intake", "line 1: expected name = value"), ("a = b", "line 1: there is no setting a"),
            ("partition = a\npartition = b", "line 2: partition is set twice"),
            ("state_dir = /var/lib/a\0b", "is not a text file"),
        ])
    func fileProblems(_ text: String, _ words: String) {
        let problem = #expect(throws: Configuration.Problem.self) { try file(text) }
        #expect(problem?.description.contains(words) == true)
    }

    @Test(
        "knows which brokers are on this machine",
        arguments: [
            ("http://localhost:1", true), ("http://127.0.0.1:1", true), ("http://127.9.9.9", true),
            ("http://[::1]:80", true), ("https://127.0.0.1.evil.com", false), ("https://localhost.evil.com", false),
            ("https://api.alpaca.markets", false), ("https://[::1].evil.com", false),
            ("https://127.0.0.1:80.evil.com", false), ("https://localhost:1:evil.com", false),
        ])
    func loopback(_ text: String, _ isLoopback: Bool) throws {
        #expect(try BrokerURL(text).isLoopback == isLoopback)
    }
}
