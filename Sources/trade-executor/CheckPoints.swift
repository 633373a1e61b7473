import AlpacaAPI
import CurlTransport
import HostSystem
import KeyFiles
import StrictJSON
import TradeRecords
import TradeWorker
import TradingCore
import ZeroMQMessaging

/// What `check` has found.
struct CheckPoints {
    struct Point {
        enum Verdict: String {
            case fine = "ok"
            /// Nothing is wrong, but good to know.
            case note
            case wrong = "WRONG"
        }

        let verdict: Verdict
        let name: String
        let text: String

        var line: String { verdict.rawValue.padded(to: 6) + name.padded(to: 16) + TerminalText.safe(text) }
    }

    private(set) var all: [Point] = []

    private mutating func add(_ verdict: Point.Verdict, _ name: String, _ text: String) {
        all.append(Point(verdict: verdict, name: name, text: text))
    }

    // MARK: This machine

    mutating func checkPlace(_ settings: SettingsOptions) -> WorkerPlace? {
        do {
            return try settings.place()
        } catch {
            add(.wrong, "state directory", "\(error)")
            return nil
        }
    }

    mutating func checkConfiguration(_ settings: SettingsOptions) -> Configuration? {
        do {
            let configuration = try settings.configuration()
            let money =
                configuration.brokerURL.isLoopback
                ? "a simulator" : configuration.brokerURL.text == BrokerURL.paper ? "paper money" : "REAL MONEY"
            add(
                .fine, "configuration",
                "partition \(configuration.worker.partition), intake \(configuration.intake), "
                    + "outcomes \(configuration.outcomes), broker \(configuration.brokerURL) (\(money))")
            add(.fine, "credentials", "from \(configuration.credentialsSource)")
            return configuration
        } catch {
            add(.wrong, "configuration", "\(error)")
            return nil
        }
    }

    mutating func checkLimits(_ configuration: Configuration) {
        guard let path = configuration.limits else {
            return add(.fine, "limits", "none are set; --limits names a file of them")
        }
        do {
            let limits = try LimitsFile.watch(path).meaning
            let lines = limits.lines
            add(.fine, "limits", lines.isEmpty ? "\(path) limits nothing" : "\(path) is in order")
            for line in lines { add(.fine, "limits", line) }
        } catch {
            add(.wrong, "limits", "\(error)")
        }
    }

    /// Whether the worker has a place in the partition map. One without would not start.
    mutating func checkPartitionMap(_ configuration: Configuration) {
        guard let path = configuration.partitionMap else { return }
        do {
            let map = try PartitionMapFile.watch(path).meaning
            let own = configuration.worker.partition
            guard map.places[own] != nil else {
                return add(.wrong, "partition map", "\(path) has no partition \(own); see --partition")
            }
            let names = map.strategies(of: own).map(\.text) + (map.defaultPartition == own ? ["all others"] : [])
            let served = names.isEmpty ? "no strategy" : names.joined(separator: ", ")
            add(.fine, "partition map", "epoch \(map.epoch); \(own) serves \(served)")
        } catch {
            add(.wrong, "partition map", "\(error)")
        }
    }

    /// Who can connect. A broken list or key would keep the worker from starting.
    mutating func checkAccess(_ configuration: Configuration) {
        guard let keys = configuration.access.keys else {
            let users = configuration.access.ipcUsers.sorted().map(String.init).joined(separator: ", ")
            return add(
                .fine, "access",
                "this machine only, without keys" + (users.isEmpty ? "" : "; also for the users \(users)"))
        }
        do {
            let own = try KeyFile.secret(keys.serverKey)
            let list = try KeyListFile.watch(keys.allowedKeys).meaning
            add(.fine, "access", "encrypted, for \(list.keys.count) keys; the worker's public key is \(own.publicKey)")
            if list.keys.isEmpty { add(.note, "access", "the list is empty: nobody is let in; see `keys allow`") }
        } catch {
            add(.wrong, "access", "\(error)")
        }
    }

    mutating func checkStateDirectory(_ path: String) {
        do {
            guard try Files.exists(path) else {
                return checkCanBeMade(path)
            }
            try Files.checkWritable(path)
            let owner = try StateDirectory.owner(of: path)
            let user =
                owner.isRunning
                ? "in use by a running worker\(StatusText.process(owner.processID))" : "no worker is running on it"
            add(.fine, "state directory", "\(path) can be written; \(user)")
            for halt in try HaltFiles(stateDirectory: path).list() {
                add(.note, "halt", "\(HaltText.scope(halt.scope)), \(HaltText.details(halt)); `resume` ends it")
            }
            checkDatabase(StateDirectory.databasePath(in: path))
        } catch {
            add(.wrong, "state directory", "\(error); the worker's user must be able to write there")
        }
    }

    private mutating func checkCanBeMade(_ path: String) {
        do {
            let parent = try Files.nearestExistingParent(of: path)
            try Files.checkWritable(parent)
            add(.fine, "state directory", "\(path) is not there yet; `run` makes it in \(parent)")
        } catch {
            add(.wrong, "state directory", "\(path) cannot be made: \(error)")
        }
    }

    private mutating func checkDatabase(_ path: String) {
        do {
            let counts = try TradeRecords(path: path).counts()
            add(.fine, "database", "stream \(counts.stream), \(counts.pending) waiting, \(counts.unknown) unknown")
        } catch RecordsFault.noDatabase {
            add(.fine, "database", "none yet; `run` makes it")
        } catch RecordsFault.older {
            add(.fine, "database", "of an older version; `run` brings it up to date")
        } catch {
            add(.wrong, "database", "\(error)")
        }
    }

    // MARK: The broker

    mutating func checkBroker(_ configuration: Configuration) {
        let broker: BrokerCheck
        do {
            broker = try BrokerCheck(configuration)
            let account = try broker.get("/v2/account")
            guard checkAnswer(account, "account", configuration) else { return }
            checkAccount(account)
            let clock = try broker.get("/v2/clock")
            if checkAnswer(clock, "broker's clock", configuration) { checkClock(clock) }
        } catch {
            add(.wrong, "broker", "\(error)")
        }
    }

    /// Whether there is an answer to look into.
    private mutating func checkAnswer(
        _ result: HTTPExchangeResult, _ name: String, _ configuration: Configuration
    ) -> Bool {
        if let problem = BrokerCheck.problem(result, configuration.brokerURL) {
            add(.wrong, name, problem)
            return false
        }
        return true
    }

    private mutating func checkAccount(_ result: HTTPExchangeResult) {
        guard let account = BrokerCheck.body(of: result), let status = account["status"]?.string else {
            return add(.wrong, "account", "the answer is no account; is --broker-url Alpaca's trading address?")
        }
        let blocks = ["trading_blocked", "account_blocked", "trade_suspended_by_user"].filter {
            account[$0]?.bool == true
        }
        guard status == "ACTIVE", blocks.isEmpty else {
            let reasons = ([status == "ACTIVE" ? nil : "its status is \(status)"] + blocks).compactMap { $0 }
            return add(
                .wrong, "account",
                "it cannot trade: \(reasons.joined(separator: ", ")); see Alpaca's dashboard")
        }
        let currency = account["currency"]?.string ?? "USD"
        let power = account["buying_power"]?.string.map { ", buying power \($0) \(currency)" } ?? ""
        add(.fine, "account", "the broker lets us in, and the account can trade\(power)")
    }

    private mutating func checkClock(_ result: HTTPExchangeResult) {
        guard let clock = BrokerCheck.body(of: result),
            let time = clock["timestamp"]?.string.flatMap(Timestamp.init)
        else { return add(.wrong, "broker's clock", "the answer is no clock") }
        let market = clock["is_open"]?.bool == true ? "the market is open" : "the market is closed"
        let seconds = abs(SystemClock().now().nanoseconds - time.nanoseconds) / 1_000_000_000
        // Deadlines that strategies name are compared with this machine's clock.
        guard seconds <= 5 else {
            return add(
                .note, "broker's clock",
                "\(market); this machine's clock is \(seconds) s off, so deadlines are too: set it by NTP")
        }
        add(.fine, "broker's clock", "\(market); this machine's clock agrees")
    }
}
