import ArgumentParser
import HostSystem
import KeyFiles
import StrictJSON
import TradeWorker
import TradingCore
import ZeroMQMessaging

struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes keys, and says who may connect to a guarded worker.",
        discussion: """
            A worker that other machines may reach has a key of its own and a list of the keys that it lets in:

            trade-executor keys generate server               # on the worker's machine
            trade-executor keys generate alice                # on the strategy's; hand over alice.key only
            trade-executor keys allow alice --public-key alice.key --strategy mean-rev
            trade-executor run --server-key server.key_secret --allowed-keys allowed-keys.json --intake 'tcp://*:5555' …

            The list is read again when it changes: a key that is revoked is refused at once, also on an open connection.
            """,
        subcommands: [KeysGenerate.self, KeysList.self, KeysAllow.self, KeysRevoke.self])
}

struct KeysGenerate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Makes a key pair: NAME.key, which may be given to anybody, and NAME.key_secret.",
        discussion: "The files are those of czmq and pyzmq (`zmq.auth.load_certificate`). Nothing is overwritten.")

    @Argument(help: "Whose key it is.") var name: KeyName
    @Option(help: "Where the two files go.") var directory = "."

    func run() throws {
        let paths = (open: "\(directory)/\(name).key", secret: "\(directory)/\(name).key_secret")
        do {
            for path in [paths.open, paths.secret] {
                guard try !Files.exists(path) else {
                    throw Failure("\(path) is there already, and a key that is lost is lost; take another name")
                }
            }
            let pair = try CurveKeyPair.generate()
            guard let publicKey = CurveKey(pair.publicKey), let secretKey = CurveKey(pair.secretKey) else {
                preconditionFailure("ZeroMQ's keys are in Z85")
            }
            let secret = KeyCertificate(publicKey: publicKey, secretKey: secretKey)
            try Files.makeDirectory(directory)
            if let open = try Files.directoryThatOthersCanChange(above: paths.secret) {
                throw Failure("others can write in \(open), and could put a key of theirs there; say --directory")
            }
            try Files.write(Array(secret.text(name: name).utf8), to: paths.secret, mayReplace: false)
            let open = KeyCertificate(publicKey: publicKey)
            try Files.write(Array(open.text(name: name).utf8), to: paths.open, othersMayRead: true, mayReplace: false)
            print("\(paths.secret)  keep it, on this machine only")
            print("\(paths.open)  may be given to anybody; the public key is \(pair.publicKey)")
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("\(error)")
        }
    }
}

/// Which list is meant.
struct KeyListOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The list of keys that are let in; allowed-keys.json in this directory unless set. \
            [\(Setting.allowedKeys.environmentName)]
            """))
    var allowedKeys: String?
    @Option(help: "A file of lines `name = value`, as for `run`. [TRADE_EXECUTOR_CONFIG]") var config: String?

    func path() throws -> String {
        let layers = try SettingLayers(config: config, refusesOpenSecrets: false)
        let path = layers.text(.allowedKeys, flag: allowedKeys) ?? "allowed-keys.json"
        // A link stays one: what it points at is what the worker reads.
        return try Files.exists(path) ? Files.realPath(path) : path
    }

    /// What the list says now.
    func read() throws -> KeyList {
        let path = try path()
        do {
            guard try Files.exists(path) else {
                throw Failure("there is no list \(path); --allowed-keys names another, and `keys allow` makes one")
            }
            return try KeyListFile.watch(path).meaning
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("\(error)")
        }
    }

    /// Changes the list, whole or not at all, while nobody else does.
    func change(mayBeNew: Bool, _ change: (inout KeyList) throws -> Void) throws {
        let path = try path()
        do {
            try Files.withLock(path + ".lock") {
                let isNew = try mayBeNew && !Files.exists(path)
                var list = isNew ? KeyList() : try read()
                try change(&list)
                // The worker may run as another user; public keys are no secret.
                try Files.write(Array(list.text.utf8), to: path, othersMayRead: true)
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("\(error)")
        }
    }
}

struct KeysList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the keys that are let in.")

    @Flag(help: "One JSON object a line.") var json = false
    @OptionGroup var list: KeyListOptions

    func run() throws {
        let keys = try list.read().keys.sorted { $0.name.text < $1.name.text }
        try StandardOutput.print { output in
            if json {
                for key in keys { try output.line(key.json.text) }
                return
            }
            if keys.isEmpty { StandardError.line("the list is empty: nobody is let in") }
            for key in keys {
                let roles = AllowedKey.Role.allCases.filter(key.roles.contains).map(\.rawValue)
                try output.line(
                    OutcomeText.columns([
                        (key.name.text, 20), (key.publicKey.text, 40), (roles.joined(separator: ","), 10),
                        (key.roles.contains(.trade) ? "strategies: \(key.strategies.text)" : "", 0),
                    ]))
            }
        }
    }
}

struct KeysAllow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allow",
        abstract: "Lets a key in, or changes what it may do.",
        discussion: """
            keys allow alice --public-key alice.key --strategy mean-rev --strategy breakout   # trades for two, and reads
            keys allow monitor --public-key monitor.key --role read                           # reads only
            keys allow desk --public-key desk.key --strategy '*'                              # trades for all
            """)

    @Argument(help: "What to call the key; an entry of this name, or of this key, is replaced.") var name: KeyName
    @Option(help: "The public key, or a file that holds it; NAME.key unless said.") var publicKey: String?
    @Option(
        help: "trade: decisions of its strategies; read: all outcomes and states. Both, where a strategy is named.")
    var role: [AllowedKey.Role] = []
    @Option(name: .customLong("strategy"), help: "For whose decisions it may be used; '*' for all.")
    var strategies: [String] = []
    @OptionGroup var list: KeyListOptions

    private var roles: Set<AllowedKey.Role> {
        Set(role.isEmpty && !strategies.isEmpty ? AllowedKey.Role.allCases : role)
    }

    func validate() throws {
        guard !roles.isEmpty else {
            throw ValidationError("say what it may do: --strategy NAME to trade and read, or --role read")
        }
        guard roles.contains(.trade) == !strategies.isEmpty else {
            throw ValidationError("say --strategy NAME with the role trade, and only with it")
        }
        _ = try allowedStrategies()
    }

    func run() throws {
        let key: CurveKey
        do {
            key = try KeyFile.publicKey(publicKey ?? "\(name).key")
        } catch {
            throw Failure("\(error); say --public-key KEY or FILE")
        }
        let allowed = AllowedKey(
            name: name, publicKey: key, roles: roles, strategies: try allowedStrategies())
        try list.change(mayBeNew: true) { $0.allow(allowed) }
        print(allowed.json.text)
    }

    private func allowedStrategies() throws -> AllowedKey.Strategies {
        if strategies == ["*"] { return .all }
        return .only(
            Set(
                try strategies.map { text in
                    guard let strategy = StrategyName(text) else {
                        throw ValidationError(
                            "\(TerminalText.safe(text)) is no strategy name; 1 to 48 of A-Z a-z 0-9 . _ -")
                    }
                    return strategy
                }))
    }
}

struct KeysRevoke: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Lets a key in no more.",
        discussion: """
            A running worker refuses its next message, also on an open connection, and cuts off a subscriber that it let \
            in. What was accepted before stays accepted; `halt` stops that.
            """)

    @Argument(help: "What the key is called.") var name: KeyName
    @OptionGroup var list: KeyListOptions

    func run() throws {
        try list.change(mayBeNew: false) { list in
            guard list.revoke(name) else { throw Failure("no key is called \(name); see `keys list`") }
        }
        print("revoked: \(name)")
    }
}

extension KeyName: ExpressibleByArgument {
    init?(argument: String) { self.init(argument) }
}

extension AllowedKey.Role: ExpressibleByArgument {}
